// Package document reads JSON and YAML into one tree that knows the lines, for messages that name them. JSON may have comments
// and trailing commas. Text may be UTF-8 or UTF-16.
package document

import (
	"math"
	"strconv"
	"strings"
)

// Bounds of a document. Settings need a few levels and values; more is a mistake, or a file made to exhaust memory.
const (
	// MaxDepth is how many lists and maps may be within each other.
	MaxDepth = 64
	// MaxValues is how many values all documents of a file may have, aliases expanded.
	MaxValues = 200_000
)

// Kind is the kind of a value, in the words of messages.
type Kind string

// Kinds of values.
const (
	Null    Kind = "null"
	Boolean Kind = "a boolean"
	Number  Kind = "a number"
	String  Kind = "a string"
	List    Kind = "a list"
	Map     Kind = "a map"
	// Unresolved is a value that is not in the document, such as a parameter of a template without a value. Parse never returns
	// it. Text says why it is not known; Members are what is known of it.
	Unresolved Kind = "a value that is not known"
)

// Node is one value of a document.
type Node struct {
	// Kind is the value's kind.
	Kind Kind
	// Line is the line of its first character, from 1.
	Line int
	// Text is a scalar as written, without quotes and escapes; "true" or "false" for a Boolean.
	Text string
	// Items are the values of a List.
	Items []*Node
	// Members are the keys and values of a Map, in the order of the file. A key is there once.
	Members []Member
	// Repeated are the later values of keys that are in Members already, where the Parser keeps them.
	Repeated []Member

	number float64
	whole  int64 // the number, if it is one that int64 holds
	isInt  bool
	block  bool // a YAML literal block: its lines are lines of the file
}

// Member is a key of a map with its value.
type Member struct {
	Key  string
	Line int
	*Node
}

// Get returns the value of a key, nil if there is none or n is no map. The key's case counts.
func (n *Node) Get(key string) *Node {
	if n == nil {
		return nil
	}
	for _, member := range n.Members {
		if member.Key == key {
			return member.Node
		}
	}
	return nil
}

// Fold returns the first member whose key differs from key only in case; its Node is nil if there is none.
func (n *Node) Fold(key string) Member {
	if n != nil {
		for _, member := range n.Members {
			if strings.EqualFold(member.Key, key) {
				return member
			}
		}
	}
	return Member{}
}

// Absent reports whether a value counts as not there: none, null, or a string that is empty or blank.
func (n *Node) Absent() bool {
	return n == nil || n.Kind == Null || n.Kind == String && strings.TrimSpace(n.Text) == ""
}

// Any returns the value as encoding/json would: map[string]any, []any, string, bool, nil; and int64 for whole numbers, however
// they are written (3600, 3.6e3), else float64. This is what Kubernetes' schemas expect. The result shares nothing with n.
func (n *Node) Any() any {
	switch n.Kind {
	case Boolean:
		return n.Text == "true"
	case Number:
		if n.isInt {
			return n.whole
		}
		return n.number
	case String:
		return n.Text
	case List:
		items := make([]any, len(n.Items))
		for i, item := range n.Items {
			items[i] = item.Any()
		}
		return items
	case Map:
		members := make(map[string]any, len(n.Members))
		for _, member := range n.Members {
			members[member.Key] = member.Any()
		}
		return members
	default:
		return nil
	}
}

// setFloat sets the number. JSON has no infinity, so a number that float64 cannot hold becomes the largest.
func (n *Node) setFloat(number float64) {
	n.number = max(min(number, math.MaxFloat64), -math.MaxFloat64)
	if exact := float64(1 << 53); number == math.Trunc(number) && math.Abs(number) <= exact {
		n.whole, n.isInt = int64(number), true
	}
}

// Integer returns a whole number; false if the value is none.
func (n *Node) Integer() (int64, bool) {
	return n.whole, n.Kind == Number && n.isInt
}

// NewString returns a String in a line.
func NewString(text string, line int) *Node { return &Node{Kind: String, Line: line, Text: text} }

// NewBoolean returns a Boolean in a line.
func NewBoolean(is bool, line int) *Node {
	return &Node{Kind: Boolean, Line: line, Text: strconv.FormatBool(is)}
}

// NewInteger returns a whole Number in a line.
func NewInteger(number int64, line int) *Node {
	return &Node{Kind: Number, Line: line, Text: strconv.FormatInt(number, 10), whole: number, isInt: true}
}

// At returns a deep copy whose values are all in one line: that of the place where a value from elsewhere is used.
func (n *Node) At(line int) *Node {
	moved := *n
	moved.Line, moved.block = line, false
	moved.Items = make([]*Node, len(n.Items))
	for i, item := range n.Items {
		moved.Items[i] = item.At(line)
	}
	moved.Members, moved.Repeated = membersAt(n.Members, line), membersAt(n.Repeated, line)
	return &moved
}

func membersAt(members []Member, line int) []Member {
	moved := make([]Member, len(members))
	for i, member := range members {
		moved[i] = Member{Key: member.Key, Line: line, Node: member.At(line)}
	}
	return moved
}
