package settings

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/validation"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

// ofServer are the fields of metadata that the API server sets or that have no meaning without a cluster.
var ofServer = []string{
	"uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	"managedFields", "ownerReferences", "finalizers", "selfLink", "namespace",
}

// metadata returns name, labels and annotations, and where the name is.
func (s *session) metadata(at origin) (map[string]any, Position) {
	position := Position{Line: at.line, Field: at.field}
	node := at.node.Get("metadata")
	if node.Absent() {
		s.problem(document.Problem{Line: at.line, Field: join(at.field, "metadata.name"), Text: "is missing, must be the name of the object"})
		return nil, position
	}
	if node.Kind != document.Map {
		s.problem(document.Problem{Line: node.Line, Field: join(at.field, "metadata"), Value: node.Shown(), Text: "must be a map with name"})
		return nil, position
	}
	known := []string{"name", "labels", "annotations"}
	for _, member := range node.Members {
		if !slices.Contains(known, member.Key) && !slices.Contains(ofServer, member.Key) {
			s.problem(document.Problem{Line: member.Line, Field: join(at.field, "metadata."+member.Key), Text: "is not a field of metadata that has a meaning here" + nearest.Advice(member.Key, known)})
		}
	}
	metadata := map[string]any{"name": s.name(at, node, &position)}
	labels, annotations := s.texts(at, node, "labels"), s.texts(at, node, "annotations")
	failures := metav1validation.ValidateLabels(labels, field.NewPath("metadata", "labels"))
	failures = append(failures, validation.ValidateAnnotations(annotations, field.NewPath("metadata", "annotations"))...)
	for _, failure := range failures {
		s.problem(at.violation(failure))
	}
	for key, texts := range map[string]map[string]string{"labels": labels, "annotations": annotations} {
		values := map[string]any{}
		for name, text := range texts {
			values[name] = text
		}
		if len(values) > 0 {
			metadata[key] = values
		}
	}
	return metadata, position
}

func (s *session) name(at origin, metadata *document.Node, position *Position) any {
	name := metadata.Fold("name")
	if name.Absent() {
		s.problem(document.Problem{Line: metadata.Line, Field: join(at.field, "metadata.name"), Text: "is missing, must be the name of the object"})
		return nil
	}
	position.Line = name.Line
	problem := document.Problem{Line: name.Line, Field: join(at.field, "metadata.name"), Value: name.Shown()}
	if name.Kind != document.String {
		problem.Text = "must be a string; put it in quotation marks"
		s.problem(problem)
		return nil
	}
	for _, text := range validation.NameIsDNSSubdomain(name.Text, false) {
		problem.Text = text
		s.problem(problem)
	}
	return name.Text
}

// texts reads labels or annotations.
func (s *session) texts(at origin, metadata *document.Node, key string) map[string]string {
	node := metadata.Get(key)
	if node == nil || node.Kind == document.Null {
		return nil
	}
	path := join(at.field, "metadata."+key)
	if node.Kind != document.Map {
		s.problem(document.Problem{Line: node.Line, Field: path, Value: node.Shown(), Text: "must be a map of strings"})
		return nil
	}
	texts := map[string]string{}
	for _, member := range node.Members {
		if member.Kind != document.String {
			s.problem(document.Problem{Line: member.Line, Field: path + "[" + member.Key + "]", Value: member.Shown(), Text: "must be a string; put it in quotation marks"})
		}
		texts[member.Key] = member.Text
	}
	return texts
}
