package tidy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

// repeated names the keys of a map that are there twice. Where the values differ, the value is not known.
func (r *reading) repeated(v find.Value) {
	var kept []document.Member
	at := map[string]int{}
	for _, m := range append(slices.Clone(v.Node.Members), v.Node.Repeated...) {
		key := strings.ToLower(m.Key)
		i, again := at[key]
		if !again {
			at[key] = len(kept)
			kept = append(kept, m)
			continue
		}
		if first := kept[i]; first.Kind == document.Unresolved || fmt.Sprint(first.Any()) != fmt.Sprint(m.Any()) {
			why := fmt.Sprintf("is there twice, in the lines %d and %d, with two values, of which neither is used; remove one of the two", first.Line, m.Line)
			kept[i].Node = &document.Node{Kind: document.Unresolved, Line: m.Line, Text: why}
			continue
		}
		r.Findings.Note(v.At(m.Key, m.Line), "is there a second time, first in line %d, with the same value", kept[i].Line)
	}
	v.Node.Members, v.Node.Repeated = kept, nil
}

// misplaced names keys beside the settings that are probably misspelt, and settings of the outer level that belong within.
func (r *reading) misplaced(root, inner find.Value) {
	if root.Node == inner.Node {
		return
	}
	known := []string{secrets, authentication, "authenticationLocationSettings"}
	for _, m := range root.Node.Members {
		if slices.ContainsFunc(known, func(key string) bool { return strings.EqualFold(key, m.Key) }) || m.Absent() {
			continue
		}
		if meant := nearest.Name(m.Key, append([]string{observed, interval, store, location, link, initialSync}, known[:2]...)); meant != "" {
			what := "probably " + meant + " is meant, correct or remove it"
			if strings.EqualFold(meant, m.Key) {
				what = "it belongs within " + secrets
			}
			r.Findings.Hand(root.At(m.Key, m.Line), "is not read here; %s", what)
		}
	}
}
