package tidy

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// counted returns the list of {"value": [...], "Count": 2}, which ConvertTo-Json of Windows PowerShell makes of some lists.
func counted(v find.Value) find.Value {
	if value := v.Node.Fold("value"); v.Node.Kind == document.Map && len(v.Node.Members) == 2 && v.Node.Fold("Count").Node != nil && value.Node != nil && value.Kind == document.List {
		return find.Value{Place: v.At(value.Key, value.Line), Node: value.Node}
	}
	return v
}

// items returns the entries of the list: of JSON in a string, of one entry alone, or of several URLs in one string.
func (r *reading) items(list find.Value) []find.Value {
	if list.Node.Kind == document.String && strings.HasPrefix(strings.TrimSpace(list.Node.Text), "[") {
		if parsed, problems := r.Parser.Embedded(list.Node); len(problems) == 0 {
			list.Node = parsed
		}
	}
	list = counted(list)
	var found []find.Value
	switch list.Node.Kind {
	case document.List:
		for i, item := range list.Node.Items {
			if !item.Absent() {
				found = append(found, find.Value{Place: list.At(fmt.Sprintf("[%d]", i), item.Line), Node: item})
			}
		}
	case document.Unresolved:
		r.Findings.Hand(list.Place, "%s; without it, no certificate is known", list.Node.Text)
	case document.String:
		words := strings.FieldsFunc(list.Node.Text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' })
		if len(words) > 1 && !slices.ContainsFunc(words, func(word string) bool { return !strings.HasPrefix(strings.ToLower(word), "http") }) {
			r.Findings.Note(list.Place, "is one string with %d URLs, as ConvertTo-Json writes a list below its -Depth; it is read as a list", len(words))
		} else {
			words = []string{list.Node.Text}
		}
		for _, word := range words {
			found = append(found, find.Value{Place: list.Place, Node: document.NewString(word, list.Line)})
		}
	default:
		found = append(found, list)
	}
	return found
}

// vaultCertificate reads {certificateUrl, certificateStore}.
func (r *reading) vaultCertificate(n *document.Node, place finding.Place) {
	v := find.Value{Place: place, Node: n}
	if n.Kind == document.Unresolved {
		r.Findings.Hand(place, "%s; this certificate is left out", n.Text)
		return
	}
	var members []document.Member
	named := false
	for _, m := range n.Members {
		key := ""
		switch plain := strings.ReplaceAll(strings.ToLower(m.Key), "_", ""); {
		case plain == "certificateurl" || plain == url:
			key = url
		case (plain == "certificatestore" || plain == "store") && !m.Absent():
			key, named = store, true
		}
		if key == "" || m.Absent() {
			continue
		}
		node, keep, fatal := r.value(strings.ToLower(key), find.Value{Place: place.At(m.Key, m.Line), Node: m.Node})
		if fatal {
			return
		}
		if keep {
			members = append(members, document.Member{Key: key, Line: m.Line, Node: node})
		}
	}
	switch {
	case len(members) == 0:
	case !named:
		r.Findings.Hand(place, "has no certificateStore, as on Linux: Linux nodes have no certificate store, so this is not converted")
	default:
		r.read(v, members)
	}
}
