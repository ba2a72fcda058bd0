package tidy

import (
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/settings/extension"
)

// version4 acts as version 4 of the extension does where nothing is written: it always links, and waits for all certificates. What
// is written counts from now on, although that version does not heed it.
// Source: Microsoft's page "Key Vault VM extension for Windows", version 4.0.
func (r *reading) version4(v find.Value, entry extension.Entry) {
	major, _, _ := strings.Cut(strings.TrimPrefix(r.site.Version, "v"), ".")
	if number, err := strconv.Atoi(major); err != nil || number < 4 {
		return
	}
	store, _ := entry.Spec[store].(string)
	for _, key := range []string{link, initialSync} {
		source, written := entry.Sources[key]
		switch {
		case key == link && withoutKeys[strings.ToLower(store)]:
		case !written:
			entry.Spec[key] = true
			entry.Sources[key] = extension.Source{Field: v.Path + "." + key, Line: v.Line, Node: entry.Node}
			r.Findings.Note(r.site.Place, "%s becomes true, as version %s of the extension acts", key, r.site.Version)
		case entry.Spec[key] == false:
			r.Findings.Hand(r.place(v, source.Field, source.Line), "%s is false here, but version %s of the extension does not heed it and acts as if it were true; with Vaultpane it counts: agree, or set it to true", key, r.site.Version)
		}
	}
	if source := entry.Sources[exportable]; entry.Spec[exportable] == true {
		r.Findings.Hand(r.place(v, source.Field, source.Line), "keyExportable is true here, but version %s of the extension does not heed it and keeps keys from being exported; with Vaultpane it counts: agree, or remove it", r.site.Version)
	}
}

// withoutKeys are the stores that never receive a private key.
var withoutKeys = map[string]bool{"root": true, "ca": true, "trustedpeople": true, "trustedpublisher": true}
