package extension

import (
	"regexp"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

const example = "as in https://myvault.vault.azure.net/secrets/mycertificate"

// entry reads one certificate. What it lacks comes from the values beside the list.
func (r *reader) entry(at Source, common map[string]value, identity Source) (Entry, bool) {
	url, own, ok := r.own(at)
	if !ok {
		return Entry{}, false
	}
	entry := Entry{Source: at, Spec: map[string]any{"url": url.is}, Sources: map[string]Source{"url": url.Source}}
	for _, values := range []map[string]value{common, own} {
		for key, value := range values {
			entry.Spec[key], entry.Sources[key] = value.is, value.Source
		}
	}
	if identity.Node != nil {
		entry.Spec["authentication"] = map[string]any{"msiClientId": strings.TrimSpace(identity.Node.Text)}
		entry.Sources["authentication.msiClientId"] = identity
	}
	r.withoutKey(entry, own)
	return entry, true
}

// own reads the settings of the entry itself.
func (r *reader) own(at Source) (url value, own map[string]value, ok bool) {
	if at.Node.Kind == document.String && strings.HasPrefix(strings.TrimSpace(at.Node.Text), "{") {
		if parsed, problems := at.Node.Embedded(); len(problems) == 0 && parsed.Get("url") != nil {
			at.Node = parsed
		}
	}
	switch at.Node.Kind {
	case document.String:
		is, ok := r.url(at)
		return value{at, is}, nil, ok
	case document.Map:
	default:
		r.problem(at, at.Node.Shown(), "must be a URL, %s, or a map with url", example)
		return url, nil, false
	}
	place := member(at.Node, at.Field, "url")
	if place.Node == nil && (at.Node.Get("sid") != nil || at.Node.Get("id") != nil) {
		r.problem(at, "", "has no url, but the output of 'az keyvault' for a certificate or secret; write only the secret's URL, which is its sid or its id with /secrets/, %s", example)
		return url, nil, false
	}
	r.known(at.Node, at.Field, "a setting of the Key Vault VM extension for Windows", append([]string{"url"}, shared...))
	own = r.values(at.Node, at.Field, shared)
	if place.Node == nil {
		place.Node, place.Line = &document.Node{Kind: document.Null}, at.Line
	}
	is, ok := r.url(place)
	return value{place, is}, own, ok
}

var (
	placeholder = regexp.MustCompile(`[][<>{}()$]`)
	powershell  = regexp.MustCompile(`^(@\{.*|System[.][A-Za-z.]+)`)
)

// url reads the secret's URL. The CRD's rules check it further.
func (r *reader) url(at Source) (string, bool) {
	text := strings.TrimSpace(at.Node.Text)
	switch {
	case at.Node.Absent():
		r.problem(at, "", "is missing, must be the URL of the secret, %s", example)
	case at.Node.Kind != document.String:
		r.problem(at, at.Node.Shown(), "must be the URL of the secret, a string, %s", example)
	case powershell.MatchString(text):
		r.problem(at, at.Node.Shown(), "is what ConvertTo-Json writes for a map below its -Depth; write the settings again with -Depth 10")
	case placeholder.MatchString(text) && !strings.HasPrefix(text, "@"):
		r.problem(at, at.Node.Shown(), "still contains a placeholder or an expression; write the URL of the secret, %s", example)
	default:
		return strings.TrimSuffix(text, "/"), true
	}
	return "", false
}

// withoutKey drops the fields about keys for stores that receive public certificates only. The extension has them beside the
// list, for all stores at once; the chart drops them on the entry too, so the same file means the same here. A note says that a
// value of the entry itself, which somebody may rely on, has no effect.
func (r *reader) withoutKey(entry Entry, own map[string]value) {
	store, _ := entry.Spec["certificateStoreName"].(string)
	if !slices.Contains([]string{"root", "ca", "trustedpeople", "trustedpublisher"}, strings.ToLower(store)) {
		return
	}
	for _, key := range []string{"keyExportable", "accounts", "linkOnRenewal"} {
		if value, written := own[key]; written && value.is != false {
			r.note(value.Source, "has no effect, because the store %s receives public certificates and never a private key; remove it", store)
		}
		delete(entry.Spec, key)
		delete(entry.Sources, key)
	}
}
