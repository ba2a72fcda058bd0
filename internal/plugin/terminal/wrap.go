package terminal

import (
	"strings"
	"unicode/utf8"

	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Wrap returns a text as lines that begin with indent, the first with first in its place, and are no wider than the style. A word
// that is wider stays whole, because it is mostly something to copy. Without a width it is one line. What a terminal would act on, such as
// escape sequences in a message of an agent or of an event, is removed from the text.
func (s Style) Wrap(first, indent, text string) string {
	var lines strings.Builder
	line := first
	empty := true
	for word := range strings.FieldsSeq(truncate.Line(text, len(text))) {
		wide := utf8.RuneCountInString(line) + 1 + utf8.RuneCountInString(word)
		if s.Width > 0 && wide > s.Width && !empty {
			lines.WriteString(line + "\n")
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	return lines.String() + strings.TrimRight(line, " ") + "\n"
}

// Signed is Wrap for a text that begins with the sign of its level, in its colour.
func (s Style) Signed(level Level, indent, text string) string {
	sign := s.Sign(level)
	return s.Paint(level, sign) + strings.TrimPrefix(s.Wrap(sign+" ", indent, text), sign)
}
