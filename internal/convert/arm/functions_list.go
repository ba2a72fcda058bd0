package arm

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

var listFunctions = map[string]function{
	"concat":      {arity{1, 0}, false, callConcat},
	"array":       {arity{1, 1}, true, callArray},
	"createarray": {arity{0, 0}, true, func(a []*document.Node) *document.Node { return list(slices.Clone(a)) }},
	"length":      {arity{1, 1}, false, func(a []*document.Node) *document.Node { return integer(int64(length(a[0]))) }},
	"empty": {arity{1, 1}, false, func(a []*document.Node) *document.Node {
		return boolean(a[0].Kind == document.Null || length(a[0]) == 0)
	}},
	"first":        {arity{1, 1}, false, func(a []*document.Node) *document.Node { return element(a[0], 0) }},
	"last":         {arity{1, 1}, false, func(a []*document.Node) *document.Node { return element(a[0], length(a[0])-1) }},
	"indexfromend": {arity{2, 2}, false, callIndexFromEnd},
	"skip":         {arity{2, 2}, false, func(a []*document.Node) *document.Node { return cut(a, true) }},
	"take":         {arity{2, 2}, false, func(a []*document.Node) *document.Node { return cut(a, false) }},
	"contains":     {arity{2, 2}, false, callContains},
	"range":        {arity{2, 2}, false, callRange},
	"flatten":      {arity{1, 1}, false, callFlatten},
	"tryget":       {arity{2, 0}, false, callTryGet},
}

// length is the number of letters, elements or keys.
func length(n *document.Node) int {
	switch n.Kind {
	case document.List:
		return len(n.Items)
	case document.Map:
		return len(n.Members)
	default:
		return len([]rune(n.Text))
	}
}

// callConcat joins strings, or lists.
func callConcat(a []*document.Node) *document.Node {
	if a[0].Kind == document.List {
		var items []*document.Node
		for _, one := range a {
			items = append(items, one.Items...)
		}
		return list(items)
	}
	var made strings.Builder
	for _, one := range a {
		part := plain(one)
		if isUnresolved(part) {
			return part
		}
		made.WriteString(part.Text)
	}
	return text(made.String())
}

func callArray(a []*document.Node) *document.Node {
	if a[0].Kind == document.List || isUnresolved(a[0]) {
		return a[0]
	}
	return list([]*document.Node{a[0]})
}

func element(of *document.Node, index int) *document.Node {
	switch {
	case index < 0 || index >= length(of):
		return null()
	case of.Kind == document.List:
		return of.Items[index]
	default:
		return text(string([]rune(of.Text)[index]))
	}
}

// callIndexFromEnd returns an element of a list, 1 for the last.
func callIndexFromEnd(a []*document.Node) *document.Node {
	index, whole := a[1].Integer()
	if !whole || a[0].Kind != document.List || index < 1 || index > int64(len(a[0].Items)) {
		return unresolved("a list has no element %s from its end", a[1].Shown())
	}
	return a[0].Items[int64(len(a[0].Items))-index]
}

// cut keeps the beginning of a list or string, or what is behind it.
func cut(a []*document.Node, behind bool) *document.Node {
	number, whole := a[1].Integer()
	if !whole {
		return unresolved("%s is no whole number", a[1].Shown())
	}
	at := int(max(min(number, int64(length(a[0]))), 0))
	from, to := 0, at
	if behind {
		from, to = at, length(a[0])
	}
	if a[0].Kind == document.List {
		return list(slices.Clone(a[0].Items[from:to]))
	}
	return text(string([]rune(a[0].Text)[from:to]))
}

func callContains(a []*document.Node) *document.Node {
	switch a[0].Kind {
	case document.List:
		for _, item := range a[0].Items {
			is, unknown := equal(item, a[1])
			if unknown != nil {
				return unknown
			}
			if is {
				return boolean(true)
			}
		}
		return boolean(false)
	case document.Map:
		return boolean(a[0].Fold(a[1].Text).Node != nil)
	default:
		return boolean(strings.Contains(a[0].Text, a[1].Text))
	}
}

func callRange(a []*document.Node) *document.Node {
	start, wholeStart := a[0].Integer()
	count, wholeCount := a[1].Integer()
	if !wholeStart || !wholeCount || count < 0 || count > longestList {
		return unresolved("range(%s, %s) is not possible", a[0].Shown(), a[1].Shown())
	}
	items := make([]*document.Node, count)
	for i := range items {
		items[i] = integer(start + int64(i))
	}
	return list(items)
}

func callFlatten(a []*document.Node) *document.Node {
	var items []*document.Node
	for _, item := range a[0].Items {
		switch {
		case isUnresolved(item):
			return item
		case item.Kind == document.List:
			items = append(items, item.Items...)
		default:
			items = append(items, item)
		}
	}
	return list(items)
}

// callTryGet follows keys as far as they are there.
func callTryGet(a []*document.Node) *document.Node {
	at := a[0]
	for _, key := range a[1:] {
		if at = property(at, key, true); at.Kind == document.Null {
			return at
		}
	}
	return at
}
