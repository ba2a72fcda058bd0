package extension

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// items returns the places of the entries: of a list, of its JSON in a string, of one entry alone, or of several URLs in one
// string.
func (r *reader) items(found *found) []Source {
	at := member(found.settings, found.field, observed)
	if at.Node.Absent() {
		r.problem(at, "", "is missing, must be the list of certificates, as in the extension's settings; an empty list [] means that none is wanted")
		return nil
	}
	if at.Node.Kind == document.String && strings.HasPrefix(strings.TrimSpace(at.Node.Text), "[") {
		list, problems := at.Node.Embedded()
		if list == nil {
			for _, problem := range problems {
				r.problem(at, "", "is a string but not the JSON of a list: %s", problem.Text)
			}
			return nil
		}
		at.Node = list
	}
	switch at.Node.Kind {
	case document.List:
		return items(at)
	case document.Map:
		return []Source{at}
	case document.String:
		return r.several(at)
	default:
		r.problem(at, at.Node.Shown(), "must be a list of certificates")
		return nil
	}
}

// several splits URLs in one string: below its -Depth, ConvertTo-Json writes a list as its values with blanks between them.
func (r *reader) several(at Source) []Source {
	words := strings.Fields(at.Node.Text)
	if len(words) < 2 || slices.ContainsFunc(words, func(word string) bool { return !strings.HasPrefix(word, "https://") }) {
		return []Source{at}
	}
	r.note(at, "is one string with %d URLs, as ConvertTo-Json writes a list below its -Depth; it is read as a list", len(words))
	list := &document.Node{Kind: document.List, Line: at.Node.Line}
	for _, word := range words {
		list.Items = append(list.Items, &document.Node{Kind: document.String, Line: at.Node.Line, Text: word})
	}
	return items(Source{Field: at.Field, Line: at.Line, Node: list})
}
