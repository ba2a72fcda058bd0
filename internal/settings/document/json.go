package document

import (
	"bytes"
	"sort"
	"strconv"

	"github.com/tailscale/hujson"
)

// jsonFailure is a Problem of JSON's form.
type jsonFailure struct {
	Problem
	inString bool
}

// parseJSON reads one JSON value. failure is set if the text is not JSON; problems are those of JSON that could be read.
func (p Parser) parseJSON(text []byte) (node *Node, failure *jsonFailure, problems []Problem) {
	text = append(bytes.TrimRight(text, " \t\r\n"), '\n') // a comment at the end needs its line's end
	if offset := deepest(text); offset >= 0 {
		return nil, nil, []Problem{tooDeep(lineAt(text, offset))}
	}
	value, err := hujson.Parse(text)
	if err != nil {
		return nil, describe(text, err), nil
	}
	c := jsonConverter{parser: p}
	for i, b := range text {
		if b == '\n' {
			c.ends = append(c.ends, i)
		}
	}
	node = c.node(value)
	if len(c.problems) > 0 {
		return nil, nil, c.problems
	}
	return node, nil, nil
}

type jsonConverter struct {
	parser   Parser
	ends     []int // offsets of line ends
	values   int
	problems []Problem
}

func (c *jsonConverter) line(offset int) int {
	return 1 + sort.SearchInts(c.ends, offset)
}

func (c *jsonConverter) node(value hujson.Value) *Node {
	node := &Node{Line: c.line(value.StartOffset)}
	if c.values++; c.values == c.parser.MaxValues+1 {
		c.problems = append(c.problems, tooMany(node.Line, c.parser.MaxValues))
	}
	switch v := value.Value.(type) {
	case *hujson.Object:
		node.Kind = Map
		c.members(node, v)
	case *hujson.Array:
		node.Kind = List
		for _, element := range v.Elements {
			node.Items = append(node.Items, c.node(element))
		}
	case hujson.Literal:
		scalar(node, v)
	}
	return node
}

func (c *jsonConverter) members(node *Node, object *hujson.Object) {
	lines := map[string]int{}
	for _, member := range object.Members {
		key, line := member.Name.Value.(hujson.Literal).String(), c.line(member.Name.StartOffset)
		if first, known := lines[key]; known {
			if c.parser.Repeated {
				node.Repeated = append(node.Repeated, Member{Key: key, Line: line, Node: c.node(member.Value)})
				continue
			}
			c.problems = append(c.problems, twice(key, first, line))
			continue
		}
		lines[key] = line
		node.Members = append(node.Members, Member{Key: key, Line: line, Node: c.node(member.Value)})
	}
}

func scalar(node *Node, literal hujson.Literal) {
	node.Text = literal.String()
	switch literal.Kind() {
	case 'n':
		node.Kind = Null
	case 't', 'f':
		node.Kind = Boolean
	case '"':
		node.Kind = String
	default:
		node.Kind = Number
		whole, err := strconv.ParseInt(node.Text, 10, 64)
		if node.whole, node.isInt = whole, err == nil; node.isInt {
			return
		}
		number, _ := strconv.ParseFloat(node.Text, 64) // infinite if it is too large
		node.setFloat(number)
	}
}
