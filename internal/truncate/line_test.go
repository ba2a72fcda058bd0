package truncate

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"plain text", "CN=shop.example, O=Müller & 株式会社", "CN=shop.example, O=Müller & 株式会社"},
		{"nothing", "", ""},
		{"white space only", " \r\n\t ", ""},
		{"lines and tabs", "  Caller is not authorized.\r\n\r\n\tCaller: x\n", "Caller is not authorized. Caller: x"},
		{"line and paragraph separators and NEL", "one\u2028two\u2029three\u0085four", "one two three four"},
		{"spaces of other widths", "one\u00a0\u2003\u3000two", "one two"},
		{"ANSI colours", "a \x1b[1;31mred\x1b[0m word", "a red word"},
		{"ANSI by its one-character introducer", "a \u009b2Jword", "a word"},
		{"a control sequence without an end", "a\x1b[12", "a�[12"},
		{"a control sequence within one", "\x1b\x1b[0m[0mx", "�[0mx"},
		{"a window's title", "\x1b]0;owned\x07x", "�]0;owned�x"},
		{"C0 and C1 control characters", "a\x00\x07\x08b\u0090\u009fc\x7fd", "a�b�c�d"},
		{"direction marks, overrides and isolates", "a\u202eb\u200ec\u2066d\u2069e\u061cf", "a�b�c�d�e�f"},
		{"zero width", "vau\u200blt\ufeff\u2060\u200d\u00ad", "vau�lt�"},
		{"tags, private use and unassigned", "a\U000e0041b\ue000c\U0010fffdd\u0378e\U000e0fffg", "a�b�c�d�e�g"},
		{"letters that are not seen", "a\u3164b\u115fc\ufe0fd\U000e0100e\u034ff", "a�b�c�d�e�f"},
		{"bytes that are no UTF-8", "a\xff\xfeb\x9bc\xed\xa0\x80d", "a�b�c�d"},
		{"the replacement character itself", "a\ufffdb", "a\ufffdb"},
		{"as long as it may be", strings.Repeat("ü", 60), strings.Repeat("ü", 60)},
		{"a character too long", strings.Repeat("ü", 61), strings.Repeat("ü", 59) + "…"},
		{"cut behind a space", strings.Repeat("ü", 58) + " word", strings.Repeat("ü", 58) + "…"},
		{"white space behind what just fits", strings.Repeat("ü", 60) + "\r\n", strings.Repeat("ü", 60)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Line(test.text, 60); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestLineKeepsToSmallLimits(t *testing.T) {
	for limit, want := range map[int]string{-1: "…", 0: "…", 1: "…", 2: "w…", 4: "word"} {
		if got := Line("word", limit); got != want {
			t.Errorf("limit %d: got %q, want %q", limit, got, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("a \x1b[31mred\x1b[0m\r\n\u009b2J\u202e\u2028word\xff", 20)
	f.Add(strings.Repeat("\u200b \ufffd", 9), 3)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 1 + max(limit, 0)%500
		got := Line(text, limit)
		if !utf8.ValidString(got) || utf8.RuneCountInString(got) > limit {
			t.Errorf("got %q, want valid UTF-8 of at most %d characters", got, limit)
		}
		for _, r := range got {
			if r != ' ' && (!unicode.IsGraphic(r) || unicode.IsSpace(r) || unicode.Is(unicode.C, r)) {
				t.Errorf("got %q, which holds %U", got, r)
			}
		}
		if again := Line(got, limit); again != got {
			t.Errorf("got %q, whose own line is %q", got, again)
		}
	})
}

func TestCut(t *testing.T) {
	for text, want := range map[string]string{"word": "word", "four words": "four...", "aaaü bbb": "aaa..."} {
		if got := Cut(text, 7); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
