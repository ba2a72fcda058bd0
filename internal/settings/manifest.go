package settings

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/extension"
)

// manifest reads an ObservedCertificate as kubectl takes it. The status, which kubectl get -o yaml prints, has no meaning here.
func (s *session) manifest(node *document.Node, path string) {
	at := origin{field: path, line: node.Line, node: node}
	metadata, position := s.metadata(at)
	object, _ := node.Any().(map[string]any)
	object["metadata"] = metadata
	delete(object, "status")
	s.add(object, at, position)
}

// extension reads settings of the extension.
func (s *session) extension(node *document.Node) {
	entries, problems, notes := extension.Read(node)
	for _, problem := range problems {
		s.problem(problem)
	}
	for _, note := range notes {
		s.notes = append(s.notes, of(s.path, note))
	}
	for _, entry := range entries {
		s.entry(entry)
	}
}

func (s *session) entry(entry extension.Entry) {
	object := map[string]any{"apiVersion": v1alpha1.GroupVersion.String(), "kind": kind, "metadata": map[string]any{}, "spec": entry.Spec}
	at := origin{field: entry.Field, line: entry.Line, node: entry.Node, sources: entry.Sources}
	if entry.Incomplete { // without what is wrong, it may look like another certificate
		s.check(object, at)
		return
	}
	s.add(object, at, Position{Line: entry.Line, Field: entry.Field, Extension: true})
}

func typed(object map[string]any) (v1alpha1.ObservedCertificate, error) {
	var certificate v1alpha1.ObservedCertificate
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, &certificate)
	return certificate, err
}
