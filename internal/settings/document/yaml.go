package document

import (
	"bytes"
	"errors"
	"io"

	"go.yaml.in/yaml/v3"
)

// parseYAML reads all documents of a text.
func (p Parser) parseYAML(text []byte) ([]*Node, []Problem) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	c := yamlConverter{parser: p, within: map[*yaml.Node]bool{}}
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
	parser   Parser
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
	case c.values > c.parser.MaxValues:
		c.problems = append(c.problems, tooMany(node.Line, c.parser.MaxValues))
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
			if c.parser.Repeated {
				node.Repeated = append(node.Repeated, Member{Key: key.Value, Line: key.Line, Node: child})
				continue
			}
			c.problems = append(c.problems, twice(key.Value, first, key.Line))
			continue
		}
		lines[key.Value] = key.Line
		node.Members = append(node.Members, Member{Key: key.Value, Line: key.Line, Node: child})
	}
	node.merge(merged, lines)
}

// merge adds the members of maps under the key <<, which a map's own members override (https://yaml.org/type/merge.html).
// lines has the keys that n has already.
func (n *Node) merge(from []*Node, lines map[string]int) {
	for _, source := range from {
		if source.Kind == List {
			n.merge(source.Items, lines)
		}
		for _, member := range source.Members {
			if _, known := lines[member.Key]; !known {
				lines[member.Key] = member.Line
				n.Members = append(n.Members, member)
			}
		}
	}
}
