package schemas

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// schema is a schema of Kubernetes' OpenAPI or of a CRD: the type of the latter has all words of both.
type schema = apiextensionsv1.JSONSchemaProps

// strict makes of an OpenAPI schema a JSON schema that knows no fields but those named, as kubectl does
// (https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation), and drops what a validator does not read.
// Unlike an API server it takes no null for a field that is absent: a rendering should not hold any.
func strict(s *schema) {
	if s.Format == "int-or-string" {
		*s = schema{OneOf: []schema{{Type: "integer"}, {Type: "string"}}}
	}
	open := s.XPreserveUnknownFields != nil && *s.XPreserveUnknownFields
	if len(s.Properties) > 0 && s.AdditionalProperties == nil && !open {
		s.AdditionalProperties = &apiextensionsv1.JSONSchemaPropsOrBool{}
	}
	forget(s)
	for name, property := range s.Properties {
		strict(&property)
		s.Properties[name] = property
	}
	if s.Items != nil && s.Items.Schema != nil {
		strict(s.Items.Schema)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		strict(s.AdditionalProperties.Schema)
	}
	// allOf, anyOf, oneOf and not repeat fields of the same object: they stay as they are
}

// forget drops explanations, defaults and what only an API server acts on.
func forget(s *schema) {
	s.Description, s.Default, s.Example, s.ExternalDocs = "", nil, nil, nil
	s.XPreserveUnknownFields, s.XEmbeddedResource, s.XIntOrString = nil, false, false
	s.XListMapKeys, s.XListType, s.XMapType, s.XValidations = nil, nil, nil, nil
}
