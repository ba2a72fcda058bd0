package convert

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/vaultpane/vaultpane/internal/convert/arm"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

func (r *read) document(file arm.Template) {
	switch {
	case arm.IsTemplate(file.Root):
		r.templates = append(r.templates, file)
	case arm.IsParameters(file.Root):
		r.parameters = append(r.parameters, file)
	default:
		r.others = append(r.others, file)
	}
}

// built returns the template and the parameters that 'az bicep build-params --stdout' writes as JSON in strings; else the document.
func built(node *document.Node, parser document.Parser) (parts []*document.Node) {
	for _, key := range []string{"parametersJson", "templateJson"} {
		if text := node.Fold(key); !text.Absent() && text.Kind == document.String {
			if inner, problems := parser.Embedded(text.Node); len(problems) == 0 {
				parts = append(parts, inner)
			}
		}
	}
	if len(parts) == 0 {
		return []*document.Node{node}
	}
	return parts
}

// sequence reads JSON values one after another, as a loop of commands writes them into one file; nil if the text is none.
func sequence(text []byte, parser document.Parser) (nodes []*document.Node) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	for start, line := 0, 0; ; {
		var value json.RawMessage
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return nodes
		} else if err != nil {
			return nil
		}
		part := text[start:decoder.InputOffset()]
		read, problems := parser.Parse(bytes.Clone(part)) // the parser writes into its text
		if len(problems) > 0 {
			return nil
		}
		for _, node := range read {
			node.Below(line)
		}
		nodes = append(nodes, read...)
		start, line = start+len(part), line+bytes.Count(part, []byte("\n"))
	}
}
