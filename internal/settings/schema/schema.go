// Package schema validates ObservedCertificates as the API server does: by the generated CRD, with the API server's own code
// (k8s.io/apiextensions-apiserver). So a file without a cluster has the same rules, defaults and messages.
package schema

import (
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/config/crd"
)

// Validator has the compiled rules of the CRD: about 8 MB and 40 ms to build, so keep one for a set of files and then drop it.
// It is safe for concurrent use.
type Validator struct {
	structural *schema.Structural
	types      validation.SchemaValidator
	rules      *cel.Validator
}

// New compiles the rules. An error is a defect of the generated CRD.
func New() (*Validator, error) {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(crd.ObservedCertificates, &definition); err != nil {
		return nil, fmt.Errorf("reading the CRD of ObservedCertificate: %w", err)
	}
	if len(definition.Spec.Versions) != 1 || definition.Spec.Versions[0].Schema == nil {
		return nil, fmt.Errorf("reading the CRD of ObservedCertificate: it has %d versions, must have one with a schema", len(definition.Spec.Versions))
	}
	var properties apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(definition.Spec.Versions[0].Schema.OpenAPIV3Schema, &properties, nil); err != nil {
		return nil, fmt.Errorf("converting the CRD's schema: %w", err)
	}
	structural, err := schema.NewStructural(&properties)
	if err != nil {
		return nil, fmt.Errorf("reading the CRD's schema: %w", err)
	}
	types, _, err := validation.NewSchemaValidator(&properties)
	if err != nil {
		return nil, fmt.Errorf("compiling the CRD's types: %w", err)
	}
	return &Validator{structural: structural, types: types, rules: cel.NewValidator(structural, true, celconfig.PerCallLimit)}, nil
}
