package convert

import (
	"encoding/json"
	"fmt"
	"regexp"

	"go.yaml.in/yaml/v3"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// mapping makes a map with its keys in order.
type mapping struct{ yaml.Node }

func newMapping() *mapping { return &mapping{yaml.Node{Kind: yaml.MappingNode}} }

func (m *mapping) set(key string, value *yaml.Node) *yaml.Node {
	m.Content = append(m.Content, word(key), value)
	return value
}

// otherwise are words that YAML 1.1, which kubectl and Helm read, takes for booleans and numbers to the base 60.
var otherwise = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off)$|^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$`)

func word(text string) *yaml.Node {
	node := &yaml.Node{}
	node.SetString(text)
	if otherwise.MatchString(text) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

func literal(value any) *yaml.Node {
	node := &yaml.Node{}
	if err := node.Encode(value); err != nil {
		return word(fmt.Sprint(value)) // booleans and numbers can be encoded
	}
	return node
}

func of(key string, value *yaml.Node) *mapping {
	made := newMapping()
	made.set(key, value)
	return made
}

// selector writes a selector as its JSON has it.
func selector(s *v1alpha1.NodeSelector) *yaml.Node {
	content, err := json.Marshal(s)
	if err != nil {
		return word("")
	}
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return word("")
	}
	plain(&document)
	return document.Content[0]
}

// plain removes JSON's style.
func plain(node *yaml.Node) {
	node.Style = 0
	for _, child := range node.Content {
		plain(child)
	}
}
