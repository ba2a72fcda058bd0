package arm

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// longest bounds strings and lists that functions make: a template may ask for any length.
const (
	longestText = 1 << 20
	longestList = 10_000
)

func unresolved(format string, arguments ...any) *document.Node {
	return &document.Node{Kind: document.Unresolved, Line: 1, Text: fmt.Sprintf(format, arguments...)}
}

func isUnresolved(n *document.Node) bool { return n != nil && n.Kind == document.Unresolved }

func text(s string) *document.Node {
	if len(s) > longestText {
		return unresolved("a string would become longer than 1 MiB")
	}
	return document.NewString(s, 1)
}

func integer(n int64) *document.Node { return document.NewInteger(n, 1) }

func boolean(is bool) *document.Node { return document.NewBoolean(is, 1) }

func null() *document.Node { return &document.Node{Kind: document.Null, Line: 1} }

func list(items []*document.Node) *document.Node {
	if len(items) > longestList {
		return unresolved("a list would have more than %d values", longestList)
	}
	return &document.Node{Kind: document.List, Line: 1, Items: items}
}

func object(members []document.Member) *document.Node {
	return &document.Node{Kind: document.Map, Line: 1, Members: members}
}

func member(key string, value *document.Node) document.Member {
	return document.Member{Key: key, Line: value.Line, Node: value}
}

// put sets a key of an object, whose case does not count.
func put(members []document.Member, key string, value *document.Node) []document.Member {
	for i := range members {
		if strings.EqualFold(members[i].Key, key) {
			members[i].Node = value
			return members
		}
	}
	return append(members, member(key, value))
}

// property returns a member of an object, or an element of a list.
func property(of, key *document.Node, safe bool) *document.Node {
	if isUnresolved(key) {
		return key
	}
	if key.Kind == document.Number {
		index, whole := key.Integer()
		if of.Kind == document.List && whole && index >= 0 && index < int64(len(of.Items)) {
			return of.Items[index]
		}
	} else if found := of.Fold(key.Text); found.Node != nil {
		return found.Node
	}
	switch {
	case isUnresolved(of):
		return of
	case safe:
		return null()
	case of.Kind == document.Map:
		return unresolved("an object has no property %s", document.Shown(key.Text))
	case of.Kind == document.List:
		return unresolved("a list has no element %s", key.Text)
	default:
		return unresolved("%s has no property %s", of.Kind, document.Shown(key.Text))
	}
}

// equal compares two values; an Unresolved makes the answer Unresolved.
func equal(a, b *document.Node) (is bool, unknown *document.Node) {
	if unknown := firstUnresolved(a, b); unknown != nil {
		return false, unknown
	}
	return jsonOf(a) == jsonOf(b), nil
}

// firstUnresolved returns the first value that is not known, at any depth.
func firstUnresolved(nodes ...*document.Node) *document.Node {
	for _, n := range nodes {
		if isUnresolved(n) {
			return n
		}
		if found := firstUnresolved(n.Items...); found != nil {
			return found
		}
		for _, m := range n.Members {
			if found := firstUnresolved(m.Node); found != nil {
				return found
			}
		}
	}
	return nil
}

// jsonOf is a value as JSON, with an object's keys in order.
func jsonOf(n *document.Node) string {
	content, err := json.Marshal(n.Any())
	if err != nil {
		return ""
	}
	return string(content)
}
