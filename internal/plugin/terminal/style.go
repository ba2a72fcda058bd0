package terminal

import (
	"strings"
)

// Style is how text is printed. The zero value is plain ASCII that is never cut or wrapped.
type Style struct {
	// Width is the number of columns, 0 for no limit.
	Width int
	// Color allows colours, UTF8 characters beyond ASCII.
	Color, UTF8 bool
}

// Level is how good or bad something is. A level has a sign of its own, so that a colour never says anything alone.
type Level int

// Levels. Plain has neither sign nor colour.
const (
	Plain Level = iota
	Good
	Busy
	Unknown
	Warning
	Bad
)

// signs of each level, in ASCII and beyond, and its colour (https://en.wikipedia.org/wiki/ANSI_escape_code#Colors).
var signs = map[Level]struct{ ascii, utf8, color string }{
	Plain:   {" ", " ", ""},
	Good:    {"+", "✓", "32"},
	Busy:    {"~", "↻", "36"},
	Unknown: {"?", "?", "2"},
	Warning: {"!", "!", "33"},
	Bad:     {"x", "✗", "31"},
}

// Sign returns the level's sign, one column wide.
func (s Style) Sign(level Level) string {
	if s.UTF8 {
		return signs[level].utf8
	}
	return signs[level].ascii
}

// Paint returns text in the level's colour, where colours are allowed.
func (s Style) Paint(level Level, text string) string {
	if color := signs[level].color; s.Color && color != "" && text != "" {
		return "\x1b[" + color + "m" + text + "\x1b[0m"
	}
	return text
}

// Bar returns a bar of the given number of columns, filled in proportion. It is full only if all is done, and empty only if nothing
// is.
func (s Style) Bar(done, total, columns int) string {
	filled := 0
	switch {
	case total > 0 && done >= total:
		filled = columns
	case total > 0 && done > 0:
		filled = min(max(1, done*columns/total), columns-1)
	}
	if s.UTF8 {
		return strings.Repeat("█", filled) + strings.Repeat("░", columns-filled)
	}
	return "[" + strings.Repeat("#", filled) + strings.Repeat(".", columns-filled) + "]"
}
