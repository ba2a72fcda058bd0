package truncate

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// ellipsis ends a line that was cut.
const ellipsis = "…"

// Line makes foreign text safe to show: on one line, at most limit characters (Unicode code points), with an ellipsis where it
// was cut. Use it for each text that a vault, a token service, a certificate, an account or a file's name brings, before it
// reaches an API object, a log, an event or a terminal. limit is at least 1.
//
// White space of any kind becomes one space; ANSI control sequences go; a run of anything else that is not visible becomes one
// U+FFFD, so that two different names never look the same: control characters (U+0080-009F too, which YAML refuses), marks that
// change the direction of text, zero-width and other ignorable characters, private use, unassigned code points, and bytes that
// are no UTF-8. The result is its own Line.
func Line(text string, limit int) string {
	limit = max(limit, 1)
	line := make([]rune, 0, min(len(text), limit)+1)
	space := false // is due before the next visible character
	for len(text) > 0 && len(line) <= limit {
		r, size := utf8.DecodeRuneInString(text)
		if control := controlSequence(text); control > 0 {
			text = text[control:]
			continue
		}
		text = text[size:]
		switch {
		case unicode.IsSpace(r):
			space = len(line) > 0
			continue
		case !visible(r):
			r = utf8.RuneError
		}
		if space {
			line, space = append(line, ' '), false
		}
		if r != utf8.RuneError || len(line) == 0 || line[len(line)-1] != utf8.RuneError {
			line = append(line, r)
		}
	}
	if len(line) <= limit {
		return string(line)
	}
	return strings.TrimRight(string(line[:limit-1]), " ") + ellipsis
}

// visible reports whether a character leaves a mark of its own on a screen. Letters such as the Hangul fillers and the variation
// selectors count as printable and are not to be seen.
func visible(r rune) bool {
	return unicode.IsPrint(r) && !unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// controlSequence returns the length of the ANSI control sequence that text begins with, 0 for none: ESC [ or U+009B, parameters,
// intermediate bytes and a final byte (ECMA-48, section 5.4).
func controlSequence(text string) int {
	end := 2
	if !strings.HasPrefix(text, "\x1b[") && !strings.HasPrefix(text, "\u009b") {
		return 0
	}
	for end < len(text) && text[end] >= ' ' && text[end] <= '?' {
		end++
	}
	if end < len(text) && text[end] >= '@' && text[end] <= '~' {
		return end + 1
	}
	return 0
}
