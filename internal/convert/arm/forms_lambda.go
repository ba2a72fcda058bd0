package arm

import (
	"slices"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// lambda calls the function lambda('a', body) or lambda('a', 'b', body) with values.
func (s *scope) lambda(e expression, values ...*document.Node) *document.Node {
	c, is := e.(call)
	if !is || c.name != "lambda" || len(c.arguments) < 2 {
		return unresolved("a lambda is missing")
	}
	inner := s
	last := len(c.arguments) - 1
	for i, name := range c.arguments[:last] {
		if i < len(values) {
			inner = inner.with(s.evaluate(name).Text, values[i])
		}
	}
	return inner.evaluate(c.arguments[last])
}

// items evaluates an argument that must be a list.
func (s *scope) items(argument expression) ([]*document.Node, *document.Node) {
	value := s.evaluate(argument)
	switch {
	case isUnresolved(value):
		return nil, value
	case value.Kind != document.List:
		return nil, unresolved("%s stands where a list is needed", value.Kind)
	}
	return value.Items, nil
}

func (s *scope) callMap(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	made := make([]*document.Node, len(items))
	for i, item := range items {
		made[i] = s.lambda(arguments[1], item, integer(int64(i)))
	}
	return list(made)
}

func (s *scope) callFilter(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	var made []*document.Node
	for i, item := range items {
		keep := s.lambda(arguments[1], item, integer(int64(i)))
		if isUnresolved(keep) {
			return keep
		}
		if isTrue(keep) {
			made = append(made, item)
		}
	}
	return list(made)
}

func (s *scope) callReduce(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	value := s.evaluate(arguments[1])
	for i, item := range items {
		value = s.lambda(arguments[2], value, item, integer(int64(i)))
	}
	return value
}

func (s *scope) callToObject(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	var members []document.Member
	for _, item := range items {
		key, value := s.lambda(arguments[1], item), item
		if isUnresolved(key) {
			return key
		}
		if len(arguments) > 2 {
			value = s.lambda(arguments[2], item)
		}
		members = put(members, key.Text, value)
	}
	return object(members)
}

// callSort puts a list in the order of a lambda that says whether one value is before another.
func (s *scope) callSort(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	before := func(a, b *document.Node) bool {
		is := s.lambda(arguments[1], a, b)
		if isUnresolved(is) {
			unknown = is
		}
		return isTrue(is)
	}
	sorted := slices.SortedStableFunc(slices.Values(items), func(a, b *document.Node) int {
		switch {
		case before(a, b):
			return -1
		case before(b, a):
			return 1
		}
		return 0
	})
	if unknown != nil {
		return unknown
	}
	return list(sorted)
}

func (s *scope) callMapValues(arguments []expression) *document.Node {
	of := s.evaluate(arguments[0])
	if isUnresolved(of) {
		return of
	}
	var members []document.Member
	for _, m := range of.Members {
		members = append(members, member(m.Key, s.lambda(arguments[1], m.Node)))
	}
	return object(members)
}

// callGroupBy makes an object of lists, by the key that a lambda makes of each value.
func (s *scope) callGroupBy(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	groups := object(nil)
	for _, item := range items {
		key := s.lambda(arguments[1], item)
		if isUnresolved(key) {
			return key
		}
		group := []*document.Node{item}
		if known := groups.Fold(key.Text).Node; known != nil {
			group = append(slices.Clone(known.Items), item)
		}
		groups.Members = put(groups.Members, key.Text, list(group))
	}
	return groups
}
