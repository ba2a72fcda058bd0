package settings

import (
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/extension"
)

// origin is where an object was written, to turn paths of the CRD (spec.accounts[0]) into those of the file.
type origin struct {
	field string
	line  int
	node  *document.Node
	// sources are the places of the spec's fields in the extension's settings; nil for a manifest.
	sources map[string]extension.Source
}

// locate returns the place of a path. The Node is nil if the file does not have the value; the line is then of what surrounds
// it.
func (o origin) locate(path string) extension.Source {
	if o.sources == nil {
		line, node := walk(o.line, o.node, path)
		return extension.Source{Field: join(o.field, path), Line: line, Node: node}
	}
	path = strings.TrimPrefix(strings.TrimPrefix(path, "spec"), ".")
	for name, source := range o.sources {
		rest, within := strings.CutPrefix(path, name)
		if !within || rest != "" && rest[0] != '[' && rest[0] != '.' {
			continue
		}
		if source.Node.Kind == document.String { // a list between commas is one value of the file
			rest = ""
		}
		line, node := walk(source.Line, source.Node, rest)
		return extension.Source{Field: source.Field + rest, Line: line, Node: node}
	}
	if path == "" {
		return extension.Source{Field: o.field, Line: o.line, Node: o.node}
	}
	return extension.Source{Field: join(o.field, path), Line: o.line}
}

// walk follows a path from a value as far as it exists.
func walk(line int, node *document.Node, path string) (int, *document.Node) {
	for path != "" {
		next, rest := step(node, path)
		if next.Node == nil {
			return line, nil
		}
		line, node, path = next.Line, next.Node, rest
	}
	return line, node
}

// step returns the first value of a path and what is left of it: name, .name or [key] of a map, or [0] of a list. A key may
// have dots.
func step(node *document.Node, path string) (extension.Source, string) {
	for _, member := range node.Members {
		for _, form := range []string{member.Key, "." + member.Key, "[" + member.Key + "]"} {
			if rest, is := strings.CutPrefix(path, form); is && (rest == "" || rest[0] == '.' || rest[0] == '[') {
				return extension.Source{Line: member.Line, Node: member.Node}, rest
			}
		}
	}
	index, rest, _ := strings.Cut(strings.TrimPrefix(path, "["), "]")
	if i, err := strconv.Atoi(index); path[0] == '[' && err == nil && i >= 0 && i < len(node.Items) {
		return extension.Source{Line: node.Items[i].Line, Node: node.Items[i]}, rest
	}
	return extension.Source{}, ""
}
