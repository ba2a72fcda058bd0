package settings

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

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
	if at.Node != nil {
		problem.Value = value(at.Node, failure)
	}
	switch failure.Type {
	case field.ErrorTypeRequired:
		problem.Text = "is missing; it must be set"
	case field.ErrorTypeDuplicate:
		problem.Text = "is in the list twice; remove one of the two"
	case field.ErrorTypeTypeInvalid:
		problem.Text = wrongType(text, at.Node)
	default:
	}
	return problem
}

// value is what a message shows of the value: for a rule about a map or list nothing, because the rule names what is wrong in
// it.
func value(node *document.Node, failure *field.Error) string {
	if node.Kind != document.Map && node.Kind != document.List || failure.Type == field.ErrorTypeTypeInvalid {
		return node.Shown()
	}
	if bad, isText := failure.BadValue.(string); isText && failure.Type == field.ErrorTypeInvalid { // one of the labels
		return document.Shown(bad)
	}
	return ""
}

// wrongType adds what to do about the most frequent wrong type, a value in quotation marks.
func wrongType(text string, node *document.Node) string {
	text, _, _ = strings.Cut(text, `: "`)
	if node == nil || node.Kind != document.String {
		return text
	}
	switch {
	case strings.HasSuffix(text, "array"):
		return text + ": a list, as in [" + node.Shown() + "]"
	case strings.HasSuffix(text, "boolean"):
		return text + ": true or false, without quotation marks"
	case strings.HasSuffix(text, "integer"):
		return text + ": digits alone, without quotation marks and unit"
	}
	return text
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
