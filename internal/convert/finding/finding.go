// Package finding is what a conversion has to say about its input.
package finding

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// Level says what follows from a finding.
type Level int

// Levels.
const (
	// Note is worth knowing.
	Note Level = iota
	// Hand needs a person to act or agree.
	Hand
	// Unreadable is an input that could not be read, or in which nothing is known.
	Unreadable
)

// Place is where something is written.
type Place struct {
	// File is the name of the input.
	File string
	// Line is the line, from 1; 0 for the file as a whole.
	Line int
	// Path is the path of the value, empty for the file as a whole.
	Path string
}

// At returns the place of a member or element of a value.
func (p Place) At(path string, line int) Place {
	if path != "" && path[0] != '[' && p.Path != "" {
		path = "." + path
	}
	return Place{File: p.File, Line: line, Path: p.Path + path}
}

// Finding is one thing to say.
type Finding struct {
	Level Level
	Place
	Text string
}

// String is the finding as a line: file, line, path and text.
func (f Finding) String() string {
	text := f.File
	if f.Line > 0 {
		text = fmt.Sprintf("%s:%d", text, f.Line)
	}
	for _, part := range []string{f.Path, f.Text} {
		if part != "" && text != "" {
			text += ": "
		}
		text += part
	}
	return text
}

// List collects findings. What is said already is not said again.
type List struct {
	All   []Finding
	said  map[Finding]bool
	count map[Level]int
}

// Add adds a finding.
func (l *List) Add(f Finding) {
	if l.said == nil {
		l.said, l.count = map[Finding]bool{}, map[Level]int{}
	}
	if !l.said[f] {
		l.said[f] = true
		l.count[f.Level]++
		l.All = append(l.All, f)
	}
}

// Hand adds something that needs a person.
func (l *List) Hand(at Place, format string, arguments ...any) {
	l.Add(Finding{Hand, at, fmt.Sprintf(format, arguments...)})
}

// Note adds something worth knowing.
func (l *List) Note(at Place, format string, arguments ...any) {
	l.Add(Finding{Note, at, fmt.Sprintf(format, arguments...)})
}

// Count returns how many findings a level has.
func (l *List) Count(level Level) int { return l.count[level] }

// Sorted returns the findings of a level in the order of files and lines.
func (l *List) Sorted(level Level) []Finding {
	var found []Finding
	for _, f := range l.All {
		if f.Level == level {
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int {
		if order := strings.Compare(a.File, b.File); order != 0 {
			return order
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Path+a.Text, b.Path+b.Text)
	})
	return found
}

// longest is how much of a value is shown.
const longest = 200

// Shown is a value for a message: at most 200 characters, without a password or the query of a URL; nothing of a key.
func Shown(n *document.Node) string {
	switch {
	case n == nil:
		return "null"
	case n.Kind != document.String:
		return n.Shown()
	case document.Shown(n.Text) == "":
		return "(not shown)"
	}
	text, query, cut := strings.Cut(n.Text, "?")
	if at := strings.LastIndex(text, "@"); strings.Contains(text, "://") && at > 0 {
		text = text[:strings.Index(text, "://")+3] + "…" + text[at:]
	}
	if before, after, fragment := strings.Cut(text, "#"); fragment && strings.Contains(before, "://") && !strings.HasPrefix(after, "{") {
		text = before + "#…"
	}
	if cut {
		name, _, _ := strings.Cut(query, "=")
		text += "?" + name + "=…"
	}
	if runes := []rune(text); len(runes) > longest {
		text = string(runes[:longest]) + "…"
	}
	return Quoted(text)
}

// Quoted puts quotation marks around a text without escapes, so that a backslash stays one. Control characters become spaces.
func Quoted(text string) string {
	return `"` + strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text) + `"`
}
