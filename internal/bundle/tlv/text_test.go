package tlv

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamesArePrintableAndShort(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"as it is":                        {"*.example.com (2026) – Größe", "*.example.com (2026) – Größe"},
		"nothing":                         {"", ""},
		"blanks around it go":             {"  web ", "web"},
		"white space becomes a blank":     {"a\tb\u00a0c\u2028d", "a b c d"},
		"controls go":                     {"a\x00b\x7fc\u0085d", "abc d"},
		"marks of direction go":           {"a\u202eb\u200fc", "abc"},
		"half a surrogate pair is marked": {string([]byte{'a', 0xff, 'b'}), "a\ufffdb"},
		"260 stay":                        {strings.Repeat("x", 260), strings.Repeat("x", 260)},
		"more is cut":                     {strings.Repeat("x", 261), strings.Repeat("x", 260)},
		"a pair counts as two":            {strings.Repeat("🔒", 131), strings.Repeat("🔒", 130)},
		"a pair is not cut in two":        {"x" + strings.Repeat("🔒", 130), "x" + strings.Repeat("🔒", 129)},
		"no blank where it is cut":        {strings.Repeat("x", 259) + " yz", strings.Repeat("x", 259)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Printable(test.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
