package tlv

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNamesArePrintableAndShort(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"as it is":                             {"*.example.com (2026) – Größe", "*.example.com (2026) – Größe"},
		"nothing":                              {"", ""},
		"surrounding spaces are removed":       {"  web ", "web"},
		"white space becomes a space":          {"a\tb\u00a0c\u2028d", "a b c d"},
		"control characters are removed":       {"a\x00b\x7fc\u0085d", "abc d"},
		"direction marks are removed":          {"a\u202eb\u200fc", "abc"},
		"an invalid byte is replaced":          {string([]byte{'a', 0xff, 'b'}), "a\ufffdb"},
		"260 are kept":                         {strings.Repeat("x", 260), strings.Repeat("x", 260)},
		"more is truncated":                    {strings.Repeat("x", 261), strings.Repeat("x", 260)},
		"a pair counts as two":                 {strings.Repeat("🔒", 131), strings.Repeat("🔒", 130)},
		"a surrogate pair is not split":        {"x" + strings.Repeat("🔒", 130), "x" + strings.Repeat("🔒", 129)},
		"no space at the end after truncation": {strings.Repeat("x", 259) + " yz", strings.Repeat("x", 259)},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Printable(test.in)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
