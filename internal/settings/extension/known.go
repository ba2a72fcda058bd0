package extension

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

// linux are the settings of the extension for Linux alone.
var linux = []string{"aclEnabled", "acls", "customSymbolicLinkName", "loggingSettings", "telemetrySettings"}

// known rejects keys that the extension for Windows never had, and keys that are there in two spellings. Case does not count.
func (r *reader) known(node *document.Node, field, kind string, keys []string) {
	first := map[string]document.Member{}
	for _, m := range node.Members {
		at := Source{Field: join(field, m.Key), Line: m.Line, Node: m.Node}
		plain := strings.ToLower(m.Key)
		if other, twice := first[plain]; twice {
			r.problem(at, "", "is there a second time, first as %s in line %d; remove one of the two", other.Key, other.Line)
		}
		first[plain] = m
		same := func(key string) bool { return strings.EqualFold(key, m.Key) }
		switch {
		case slices.ContainsFunc(keys, same):
		case slices.ContainsFunc(linux, same):
			r.problem(at, "", "is a setting of the Key Vault VM extension for Linux and has no effect here; remove it")
		case same(observed):
			r.problem(at, "", "must be within %s, which is here too; move it there", secrets)
		default:
			r.problem(at, "", "is not %s%s", kind, nearest.Advice(m.Key, keys))
		}
	}
}
