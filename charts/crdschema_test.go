package charts_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// property is a JSON schema, with its keywords in the order in which values.schema.json has them.
type property struct {
	Type                 any                  `json:"type"`
	Enum                 []any                `json:"enum,omitempty"`
	MinLength            *int64               `json:"minLength,omitempty"`
	MaxLength            *int64               `json:"maxLength,omitempty"`
	MaxItems             *int64               `json:"maxItems,omitempty"`
	UniqueItems          bool                 `json:"uniqueItems,omitempty"`
	MaxProperties        *int64               `json:"maxProperties,omitempty"`
	Items                *property            `json:"items,omitempty"`
	AdditionalProperties *property            `json:"additionalProperties,omitempty"`
	Properties           map[string]*property `json:"properties,omitempty"`
	Required             []string             `json:"required,omitempty"`
}

// TestTheSchemaHoldsTheCRDs compares the definitions of a certificate in values.schema.json with the CRD's schema, or writes them.
// As in the rest of that file, the definitions do not forbid unknown keys, because the template vaultpane.keys does, and names
// the right spelling. They do not have the CRD's CEL rules either: the template vaultpane.rules checks them with the CRD's
// messages.
func TestTheSchemaHoldsTheCRDs(t *testing.T) {
	spec := observedCertificateSpec(t)
	certificate := convert(spec, true)
	fields := *certificate
	fields.Properties, fields.Required = maps.Clone(certificate.Properties), nil
	delete(fields.Properties, "url") // each certificate has its own
	delete(fields.Properties, "configMap")
	file := filepath.Join(chart, "values.schema.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	schema := string(text)
	for name, definition := range map[string]*property{"certificate": certificate, "certificateDefaults": &fields} {
		schema = replaceDefinition(t, schema, name, definition)
	}
	compareFile(t, file, schema)
}

func observedCertificateSpec(t *testing.T) apiextensionsv1.JSONSchemaProps {
	t.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	read(t, filepath.Join(chart, "crds", "vaultpane.dev_observedcertificates.yaml"), &crd)
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"]
}

// convert converts a CRD's schema to a JSON schema. In values, a field that is null counts as absent, unless it is required; an
// entry of a list must not be null.
func convert(from apiextensionsv1.JSONSchemaProps, nullable bool) *property {
	to := &property{
		Type: from.Type, MinLength: from.MinLength, MaxLength: from.MaxLength, MaxItems: from.MaxItems, MaxProperties: from.MaxProperties,
		Required: from.Required, UniqueItems: from.XListType != nil && *from.XListType == "set",
	}
	for _, value := range from.Enum {
		to.Enum = append(to.Enum, json.RawMessage(value.Raw))
	}
	if nullable {
		to.Type = []string{from.Type, "null"}
		if to.Enum != nil {
			to.Enum = append(to.Enum, nil)
		}
	}
	if from.Items != nil {
		to.Items = convert(*from.Items.Schema, false)
	}
	if from.AdditionalProperties != nil {
		to.AdditionalProperties = convert(*from.AdditionalProperties.Schema, true)
	}
	for name, field := range from.Properties {
		if to.Properties == nil {
			to.Properties = map[string]*property{}
		}
		to.Properties[name] = convert(field, !slices.Contains(from.Required, name))
	}
	return to
}

// replaceDefinition replaces one of $defs in the text of a schema, and keeps the order and layout of the rest.
func replaceDefinition(t *testing.T, schema, name string, definition *property) string {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("    ", "  ")
	if err := encoder.Encode(definition); err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(schema, "\n    \""+name+"\": {")
	_, tail, ended := strings.Cut(rest, "\n    }")
	if !found || !ended {
		t.Fatalf("values.schema.json has no definition of %s", name)
	}
	return head + "\n    \"" + name + "\": " + strings.TrimSuffix(text.String(), "\n") + tail
}
