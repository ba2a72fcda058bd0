package schemas

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Set are the schemas of one version of Kubernetes.
type Set struct {
	// Kubernetes is the version, as v1.37.2.
	Kubernetes string `json:"kubernetes"`
	// Kinds are the names of the kinds' definitions by apiVersion and kind, as "apps/v1 DaemonSet".
	Kinds map[string]string `json:"kinds"`
	// Definitions are the schemas of these kinds and of all that they refer to.
	Definitions map[string]*schema `json:"definitions"`
}

// definition is one of swagger.json, with the kinds that it is the schema of.
type definition struct {
	schema `json:",inline"`
	Kinds  []metav1.GroupVersionKind `json:"x-kubernetes-group-version-kind"`
}

const (
	reference  = "#/definitions/"
	objectMeta = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
	quantity   = "io.k8s.apimachinery.pkg.api.resource.Quantity"
)

// Cut takes the schemas of kinds, and of what they refer to, out of api/openapi-spec/swagger.json of Kubernetes' repository.
// A kind that is not there is left out.
func Cut(version string, swagger []byte, kinds []metav1.GroupVersionKind) (*Set, error) {
	var all struct{ Definitions map[string]*definition }
	if err := json.Unmarshal(swagger, &all); err != nil {
		return nil, fmt.Errorf("reading the OpenAPI schemas of Kubernetes %s: %w", version, err)
	}
	set := &Set{Kubernetes: version, Kinds: map[string]string{}, Definitions: map[string]*schema{}}
	pending := []string{objectMeta} // custom resources have it too
	for name, found := range all.Definitions {
		for _, kind := range found.Kinds {
			if slices.Contains(kinds, kind) {
				set.Kinds[kindName(kind)] = name
				pending = append(pending, name)
			}
		}
	}
	for len(pending) > 0 {
		name := pending[0]
		pending = pending[1:]
		if set.Definitions[name] != nil {
			continue
		}
		found := all.Definitions[name]
		if found == nil {
			return nil, fmt.Errorf("cutting the schemas of Kubernetes %s: nothing defines %s", version, name)
		}
		set.Definitions[name] = &found.schema
		pending = append(pending, references(&found.schema)...)
		strict(&found.schema)
	}
	if numbers := set.Definitions[quantity]; numbers != nil { // 1 is "1"
		*numbers = schema{OneOf: []schema{{Type: "number"}, {Type: "string"}}}
	}
	return set, nil
}

func kindName(kind metav1.GroupVersionKind) string {
	return metav1.GroupVersion{Group: kind.Group, Version: kind.Version}.String() + " " + kind.Kind
}

// references are the names of the definitions that a schema refers to.
func references(s *schema) []string {
	var names []string
	if s.Ref != nil {
		names = append(names, strings.TrimPrefix(*s.Ref, reference))
	}
	for _, property := range s.Properties {
		names = append(names, references(&property)...)
	}
	if s.Items != nil && s.Items.Schema != nil {
		names = append(names, references(s.Items.Schema)...)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		names = append(names, references(s.AdditionalProperties.Schema)...)
	}
	return names
}
