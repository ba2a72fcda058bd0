package document

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

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
