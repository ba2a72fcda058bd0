package settings

import (
	"regexp"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/extension"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

// origin is where an object was written, to turn paths of the CRD (spec.accounts[0]) into those of the file.
type origin struct {
	field string
	line  int
	node  *document.Node
	// sources are the places of the spec's fields in the extension's settings; nil for a manifest.
	sources map[string]extension.Source
}

// locate returns the place of a path. The Node is nil if the file does not have the value; the line is then of what surrounds it.
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
	for path != "" && node != nil {
		var found bool
		for _, member := range node.Members { // a key may contain dots
			for _, form := range []string{"." + member.Key, "[" + member.Key + "]"} {
				rest, is := strings.CutPrefix("."+strings.TrimPrefix(path, "."), form)
				if form[0] == '[' {
					rest, is = strings.CutPrefix(path, form)
				}
				if is && !found && (rest == "" || rest[0] == '.' || rest[0] == '[') {
					path, line, node, found = rest, member.Line, member.Node, true
				}
			}
			if found {
				break
			}
		}
		if found {
			continue
		}
		index, rest, _ := strings.Cut(strings.TrimPrefix(path, "["), "]")
		if i, err := strconv.Atoi(index); path[0] == '[' && err == nil && i >= 0 && i < len(node.Items) {
			path, line, node = rest, node.Items[i].Line, node.Items[i]
			continue
		}
		return line, nil
	}
	return line, node
}

// within is what the schema's own messages begin with: the path again, in the CRD's words.
var within = regexp.MustCompile(`^\S* in body `)

// format is the one message that has its path only in the text.
var format = regexp.MustCompile(`^Checked value must be (of type .*) in (spec\S*)$`)

// violation is the Problem of a rule that does not hold, in the API server's words where it has a sentence.
func (o origin) violation(failure *field.Error) document.Problem {
	path, text := failure.Field, within.ReplaceAllString(failure.Detail, "")
	if parts := format.FindStringSubmatch(failure.Detail); parts != nil {
		path, text = parts[2], "must be "+parts[1]
	}
	at := o.locate(path)
	problem := document.Problem{Line: at.Line, Field: at.Field, Text: text}
	bad, isText := failure.BadValue.(string)
	switch {
	case at.Node == nil:
	case at.Node.Kind != document.Map && at.Node.Kind != document.List:
		problem.Value = at.Node.Shown()
	case isText && failure.Type == field.ErrorTypeInvalid: // one of the labels
		problem.Value = document.Shown(bad)
	}
	switch failure.Type {
	case field.ErrorTypeRequired:
		problem.Text = "is missing; it must be set"
		if strings.HasSuffix(failure.Field, "url") {
			problem.Text = "is missing, must be the URL of the secret, as in https://myvault.vault.azure.net/secrets/mycertificate"
		}
	case field.ErrorTypeDuplicate:
		problem.Text = "is in the list twice; remove one of the two"
	case field.ErrorTypeTypeInvalid:
		problem.Text, _, _ = strings.Cut(problem.Text, `: "`)
		if at.Node != nil {
			problem.Value = at.Node.Shown()
		}
		if unquoted := at.Node != nil && at.Node.Kind == document.String; unquoted && strings.HasSuffix(problem.Text, "boolean") {
			problem.Text += ": true or false, without quotation marks"
		} else if unquoted && strings.HasSuffix(problem.Text, "integer") {
			problem.Text += ": digits without quotation marks"
		}
	default:
	}
	return problem
}

// unknown is the Problem of a field that the CRD does not have.
func (s *session) unknown(o origin, path string) document.Problem {
	at := o.locate(path)
	name, known := path, s.schema.Fields("")
	for i := range len(path) { // the longest part that has known fields is the map; the rest is a key, which may contain dots
		if path[i] != '.' {
			continue
		}
		if fields := s.schema.Fields(path[:i]); len(fields) > 0 {
			name, known = path[i+1:], fields
		}
	}
	return document.Problem{Line: at.Line, Field: at.Field, Text: "is not a field of an ObservedCertificate" + nearest.Advice(name, known)}
}
