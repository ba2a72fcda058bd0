package document

import (
	"bytes"
	"errors"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads all documents of a text.
func parseYAML(text []byte) ([]*Node, []Problem) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	c := yamlConverter{within: map[*yaml.Node]bool{}}
	var nodes []*Node
	for {
		var root yaml.Node
		err := decoder.Decode(&root)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, []Problem{describeYAML(text, err)}
		}
		node := c.node(&root, 0)
		if len(c.problems) > 0 {
			return nil, c.problems
		}
		if !empty(&root) {
			nodes = append(nodes, node)
		}
	}
	return nodes, nil
}

// empty reports whether a document has nothing but comments.
func empty(root *yaml.Node) bool {
	if root.Kind == yaml.DocumentNode && len(root.Content) > 0 {
		root = root.Content[0]
	}
	return root.Kind == 0 || root.Kind == yaml.ScalarNode && root.Value == "" && root.ShortTag() == "!!null"
}

type yamlConverter struct {
	within   map[*yaml.Node]bool // anchors that are being expanded
	values   int
	problems []Problem
}

func (c *yamlConverter) node(from *yaml.Node, depth int) *Node {
	node := &Node{Kind: Null, Line: max(from.Line, 1)}
	c.values++
	switch {
	case len(c.problems) > 0:
		return node
	case c.values > MaxValues:
		c.problems = append(c.problems, tooMany(node.Line))
		return node
	case depth > MaxDepth+1: // the document itself is a level
		c.problems = append(c.problems, tooDeep(node.Line))
		return node
	}
	switch from.Kind {
	case yaml.DocumentNode:
		if len(from.Content) > 0 {
			return c.node(from.Content[0], depth)
		}
	case yaml.AliasNode:
		return c.alias(from, node, depth)
	case yaml.SequenceNode:
		node.Kind = List
		for _, item := range from.Content {
			node.Items = append(node.Items, c.node(item, depth+1))
		}
	case yaml.MappingNode:
		node.Kind = Map
		c.members(node, from, depth)
	case yaml.ScalarNode:
		c.scalar(node, from)
	}
	return node
}

func (c *yamlConverter) alias(from *yaml.Node, node *Node, depth int) *Node {
	if c.within[from.Alias] || from.Alias == nil {
		c.problems = append(c.problems, Problem{Line: node.Line, Text: "the alias " + Shown(from.Value) + " is within what it stands for; write the values out"})
		return node
	}
	c.within[from.Alias] = true
	defer delete(c.within, from.Alias)
	return c.node(from.Alias, depth+1)
}

func (c *yamlConverter) members(node *Node, from *yaml.Node, depth int) {
	lines := map[string]int{}
	var merged []*Node
	for i := 0; i+1 < len(from.Content); i += 2 {
		key, value := from.Content[i], from.Content[i+1]
		if key.Kind == yaml.AliasNode && key.Alias != nil {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			c.problems = append(c.problems, Problem{Line: max(key.Line, 1), Text: "a key is a list or a map here, must be a word; a placeholder in braces needs quotation marks"})
			return
		}
		child := c.node(value, depth+1)
		if key.ShortTag() == "!!merge" {
			merged = append(merged, child)
			continue
		}
		if first, known := lines[key.Value]; known {
			c.problems = append(c.problems, twice(key.Value, first, key.Line))
			continue
		}
		lines[key.Value] = key.Line
		node.Members = append(node.Members, Member{Key: key.Value, Line: key.Line, Node: child})
	}
	node.merge(merged)
}

// merge adds the members of maps under the key <<, which a map's own members override (https://yaml.org/type/merge.html).
func (n *Node) merge(from []*Node) {
	for _, source := range from {
		if source.Kind == List {
			n.merge(source.Items)
		}
		for _, member := range source.Members {
			if n.Get(member.Key) == nil {
				n.Members = append(n.Members, member)
			}
		}
	}
}

func (c *yamlConverter) scalar(node *Node, from *yaml.Node) {
	node.Kind, node.Text, node.block = String, from.Value, from.Style&yaml.LiteralStyle != 0
	switch from.ShortTag() {
	case "!!null":
		node.Kind = Null
	case "!!bool":
		var value bool
		if from.Decode(&value) == nil {
			node.Kind, node.Text = Boolean, strconv.FormatBool(value)
		}
	case "!!int", "!!float":
		number(node, from)
	}
	// In double quotes, YAML reads \N, \L, \P, \a, \b, \e, \v and \f as characters that no value here can have.
	if from.Style&yaml.DoubleQuotedStyle != 0 && strings.ContainsAny(node.Text, "\u0085\u2028\u2029\a\b\x1b\v\f") {
		c.problems = append(c.problems, Problem{Line: node.Line, Text: `the string in double quotes has a backslash with a letter that YAML reads as a control character, such as \N; write two backslashes for one, or use single quotes`})
	}
}

func number(node *Node, from *yaml.Node) {
	var whole int64
	if from.Decode(&whole) == nil && from.ShortTag() == "!!int" {
		node.Kind, node.whole, node.isInt = Number, whole, true
		return
	}
	var value float64
	if from.Decode(&value) == nil && !math.IsInf(value, 0) && !math.IsNaN(value) {
		node.Kind = Number
		node.setFloat(value)
	}
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line ([0-9]+): )?(?s)(.*)$`)

// describeYAML says what is wrong with the YAML, and finds tabs, which its parser describes as other mistakes.
func describeYAML(text []byte, err error) Problem {
	for i, line := range bytes.Split(text, []byte("\n")) {
		indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]
		if bytes.IndexByte(indent, '\t') >= 0 && len(bytes.TrimSpace(line)) > 0 {
			return Problem{Line: i + 1, Text: "the line is indented with a tab, which YAML does not allow; use spaces"}
		}
	}
	problem := Problem{Line: 1, Text: err.Error()}
	if parts := yamlLine.FindStringSubmatch(err.Error()); parts != nil {
		problem.Text = parts[2]
		if line, err := strconv.Atoi(parts[1]); err == nil {
			problem.Line = min(max(line, 1), lineAt(text, len(text)))
		}
	}
	problem.Text = "the YAML is not valid: " + problem.Text + "; the mistake is in this line or just before it"
	return problem
}
