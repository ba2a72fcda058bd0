package document

import (
	"bytes"
	"fmt"
	"strings"
)

// Parser reads texts. The zero value is for settings: strict, and with the bounds of this package.
type Parser struct {
	// MaxValues is how many values all documents of a text may have; 0 means the constant MaxValues.
	MaxValues int
	// Repeated keeps the later values of a key that a map has twice, in Node.Repeated; otherwise such a key is a Problem. The
	// reader of a large file wants to know of those alone that it uses.
	Repeated bool
}

// Parse reads all documents of a text, which Decode returned. JSON and YAML are told apart by the first character that is not
// blank: {, [, " and a comment // or /* begin JSON. A document that is empty or has only comments is left out. With a Problem
// there are no documents.
func Parse(text []byte) ([]*Node, []Problem) { return Parser{}.Parse(text) }

// Parse reads all documents of a text, as the function Parse.
func (p Parser) Parse(text []byte) ([]*Node, []Problem) {
	if p.MaxValues == 0 {
		p.MaxValues = MaxValues
	}
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return nil, nil
	case !looksJSON(text):
		return p.parseYAML(text)
	}
	node, failure, problems := p.parseJSON(text)
	switch {
	case len(problems) > 0:
		return nil, problems
	case failure == nil:
		return []*Node{node}, nil
	}
	// YAML has maps in braces too, and keys in quotation marks. A string with a wrong escape stays wrong: YAML reads \N and
	// others as control characters.
	if !failure.inString {
		if nodes, problems := p.parseYAML(text); len(problems) == 0 && len(nodes) > 0 && len(nodes[0].Items)+len(nodes[0].Members) > 0 {
			return nodes, nil
		}
	}
	return nil, []Problem{failure.Problem}
}

func looksJSON(text []byte) bool {
	text = bytes.TrimLeft(text, " \t\r\n")
	return len(text) > 0 && bytes.IndexByte([]byte(`{["`), text[0]) >= 0 || bytes.HasPrefix(text, []byte("//")) || bytes.HasPrefix(text, []byte("/*"))
}

// Embedded reads the one document in a string, such as settings that a tool wrote as text. Lines are the file's as far as a
// string allows: those of a literal block, otherwise the line where the string begins.
func (n *Node) Embedded() (*Node, []Problem) { return Parser{}.Embedded(n) }

// Embedded reads the one document in a string, as the method of Node.
func (p Parser) Embedded(n *Node) (*Node, []Problem) {
	nodes, problems := p.Parse([]byte(strings.TrimPrefix(n.Text, "\ufeff")))
	for i := range problems {
		problems[i] = n.outer(problems[i])
	}
	switch {
	case len(problems) > 0:
		return nil, problems
	case len(nodes) != 1:
		return nil, []Problem{{Line: n.Line, Text: fmt.Sprintf("the string has %d documents, must have one", len(nodes))}}
	}
	nodes[0].move(n)
	return nodes[0], nil
}

// outer gives a problem within the string the line of the file.
func (n *Node) outer(problem Problem) Problem {
	if n.block {
		problem.Line += n.Line
		return problem
	}
	problem.Text = fmt.Sprintf("line %d of the string: %s", problem.Line, problem.Text)
	problem.Line = n.Line
	return problem
}

// Below moves a value and all in it down by some lines, as part of a larger text.
func (n *Node) Below(lines int) { n.move(&Node{Line: lines, block: true}) }

func (n *Node) move(within *Node) {
	if within.block {
		n.Line += within.Line
	} else {
		n.Line, n.block = within.Line, false
	}
	for _, item := range n.Items {
		item.move(within)
	}
	moveMembers(n.Members, within)
	moveMembers(n.Repeated, within)
}

func moveMembers(members []Member, within *Node) {
	for i := range members {
		member := &members[i]
		member.move(within)
		if within.block {
			member.Line += within.Line
		} else {
			member.Line = within.Line
		}
	}
}

// twice is the Problem of a key that a map has twice, at the second place.
func twice(key string, first, second int) Problem {
	if key == "apiVersion" || key == "kind" {
		return Problem{Line: second, Text: fmt.Sprintf("the key %s is here a second time in one map, first in line %d; if another document begins here, write --- before it", Shown(key), first)}
	}
	return Problem{Line: second, Text: fmt.Sprintf("the key %s is here a second time in one map, first in line %d; remove one of the two", Shown(key), first)}
}

func tooDeep(line int) Problem {
	return Problem{Line: line, Text: fmt.Sprintf("lists and maps are nested here more than %d levels deep; settings need less than 20", MaxDepth)}
}

func tooMany(line, most int) Problem {
	return Problem{Line: line, Text: fmt.Sprintf("the file has more than %d values, aliases expanded; split it into several files", most)}
}
