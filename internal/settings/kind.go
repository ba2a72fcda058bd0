package settings

import (
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/extension"
)

const (
	kind     = "ObservedCertificate"
	listKind = "ObservedCertificateList"
)

// document reads one document, or one object of a list.
func (s *session) document(node *document.Node, field string) {
	switch {
	case node.Kind == document.List && len(node.Items) > 0 && node.Items[0].Get("kind") != nil:
		s.problem(document.Problem{Line: node.Line, Field: field, Text: subject(field, "is a list of objects; write them one after the other with --- between them, or as the items of an object of kind List")})
	case node.Get("kind") != nil:
		s.object(node, field)
	case field == "" && (node.Kind == document.List || node.Kind == document.String && strings.Contains(node.Text, "{") || extension.Known(node)):
		s.extension(node)
	case field != "" || node.Get("apiVersion") != nil || node.Get("spec") != nil || node.Get("metadata") != nil:
		s.problem(document.Problem{Line: node.Line, Field: join(field, "kind"), Text: "is missing, must be " + kind})
	default:
		s.problem(document.Problem{Line: node.Line, Text: "the document is neither an ObservedCertificate nor settings of the extension" + keys(node) + "; " + expected})
	}
}

// keys describes what a document is instead of settings, by the first keys of a map. Values may be secret.
func keys(node *document.Node) string {
	switch {
	case node.Kind != document.Map:
		return ", but only " + string(node.Kind)
	case node.Fold("resources").Node != nil:
		return ", but a whole template, of which only the resource KeyVaultForWindows is of use"
	}
	var names []string
	for _, member := range node.Members[:min(len(node.Members), 5)] {
		names = append(names, document.Shown(member.Key))
	}
	if len(names) == 0 {
		return ", but an empty map"
	}
	return ": its keys are " + strings.Join(names, ", ")
}

// object reads an object that has a kind.
func (s *session) object(node *document.Node, field string) {
	named, version := node.Fold("kind"), node.Get("apiVersion") // the caller saw kind
	isList := named.Text == listKind || named.Text == "List" && version != nil && version.Text == "v1"
	problem := document.Problem{Line: named.Line, Field: join(field, "kind"), Value: named.Shown()}
	switch {
	case named.Text == "ConfigMap":
		problem.Text = "must be " + kind + "; give the file that the ConfigMap holds, without the ConfigMap around it"
	case strings.EqualFold(named.Text, kind) && named.Text != kind:
		problem.Text = "must be written " + kind
	case named.Text != kind && !isList:
		problem.Text = "must be " + kind + "; other kinds have no meaning here: " + expected
	case named.Text != "List" && (version == nil || version.Text != v1alpha1.GroupVersion.String()):
		problem.Field, problem.Value, problem.Text = join(field, "apiVersion"), "", "is missing, must be "+v1alpha1.GroupVersion.String()
		if version != nil {
			problem.Value, problem.Text = version.Shown(), "must be "+v1alpha1.GroupVersion.String()
		}
	case isList:
		s.list(node, field)
		return
	default:
		s.manifest(node, field)
		return
	}
	s.problem(problem)
}

func (s *session) list(node *document.Node, field string) {
	items := node.Get("items")
	if items == nil || items.Kind != document.List {
		s.problem(document.Problem{Line: node.Line, Field: join(field, "items"), Text: "is missing or not a list, must be the list of ObservedCertificates"})
		return
	}
	for i, item := range items.Items {
		s.document(item, fmt.Sprintf("%s[%d]", join(field, "items"), i))
	}
}

// subject completes a sentence about a document that has no path.
func subject(field, text string) string {
	if field == "" {
		return "the document " + text
	}
	return text
}

func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}
