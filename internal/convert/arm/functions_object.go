package arm

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

var objectFunctions = map[string]function{
	"createobject": {arity{0, 0}, true, callCreateObject},
	"union":        {arity{1, 0}, false, callUnion},
	"intersection": {arity{1, 0}, false, callIntersection},
	"shallowmerge": {arity{1, 1}, false, callShallowMerge},
	"objectkeys":   {arity{1, 1}, false, callObjectKeys},
	"items":        {arity{1, 1}, false, callItems},
}

func callCreateObject(a []*document.Node) *document.Node {
	var members []document.Member
	for i := 0; i+1 < len(a); i += 2 {
		if isUnresolved(a[i]) {
			return a[i]
		}
		members = put(members, a[i].Text, a[i+1])
	}
	return object(members)
}

// callUnion joins lists without repetitions, or objects, of which the later win, at every depth.
func callUnion(a []*document.Node) *document.Node {
	made := a[0]
	for _, next := range a[1:] {
		if made.Kind == document.Map && next.Kind == document.Map {
			made = merged(made, next)
			continue
		}
		made = list(slices.Concat(made.Items, next.Items))
	}
	if made.Kind != document.List {
		return made
	}
	var items []*document.Node
	seen := map[string]bool{}
	for _, item := range made.Items {
		if firstUnresolved(item) != nil || !seen[jsonOf(item)] {
			items = append(items, item)
		}
		seen[jsonOf(item)] = true
	}
	return list(items)
}

func merged(a, b *document.Node) *document.Node {
	members := slices.Clone(a.Members)
	for _, m := range b.Members {
		value := m.Node
		if own := a.Fold(m.Key).Node; own != nil && own.Kind == document.Map && value.Kind == document.Map {
			value = merged(own, value)
		}
		members = put(members, m.Key, value)
	}
	return object(members)
}

func callIntersection(a []*document.Node) *document.Node {
	made := a[0]
	if made.Kind == document.Map {
		var members []document.Member
		for _, m := range made.Members {
			if !slices.ContainsFunc(a[1:], func(other *document.Node) bool { return !same(other.Fold(m.Key).Node, m.Node) }) {
				members = append(members, m)
			}
		}
		return object(members)
	}
	var items []*document.Node
	for _, item := range made.Items {
		if !slices.ContainsFunc(a[1:], func(other *document.Node) bool {
			return !slices.ContainsFunc(other.Items, func(candidate *document.Node) bool { return same(candidate, item) })
		}) {
			items = append(items, item)
		}
	}
	return list(items)
}

func same(a, b *document.Node) bool {
	if a == nil || b == nil {
		return false
	}
	is, unknown := equal(a, b)
	return is && unknown == nil
}

func callShallowMerge(a []*document.Node) *document.Node {
	var members []document.Member
	for _, each := range a[0].Items {
		for _, m := range each.Members {
			members = put(members, m.Key, m.Node)
		}
	}
	return object(members)
}

func callObjectKeys(a []*document.Node) *document.Node {
	var keys []*document.Node
	for _, m := range inOrder(a[0].Members) {
		keys = append(keys, text(m.Key))
	}
	return list(keys)
}

func callItems(a []*document.Node) *document.Node {
	var pairs []*document.Node
	for _, m := range inOrder(a[0].Members) {
		pairs = append(pairs, object([]document.Member{member("key", text(m.Key)), member("value", m.Node)}))
	}
	return list(pairs)
}

func inOrder(members []document.Member) []document.Member {
	return slices.SortedFunc(slices.Values(members), func(a, b document.Member) int { return strings.Compare(a.Key, b.Key) })
}
