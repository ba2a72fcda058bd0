// Package schemadiff compares the CRDs of a cluster with those that this program was built with.
package schemadiff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/config/crd"
)

// CRD is a CustomResourceDefinition of this program.
type CRD struct {
	// Name and Kind are its names, and Version the served version of the API.
	Name, Kind, Version string
	// YAML is the definition, as it is applied.
	YAML []byte

	schema any
}

// Own returns the CRDs that this program was built with. It panics if one cannot be read, which is a defect of the build.
func Own() []CRD {
	var all []CRD
	for _, text := range [][]byte{crd.ObservedCertificates, crd.NodeCertificateStates} {
		var definition apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &definition); err != nil {
			panic("reading a generated CRD: " + err.Error())
		}
		version := definition.Spec.Versions[0]
		schema, err := tree(version.Schema)
		if err != nil {
			panic("reading a generated CRD: " + err.Error())
		}
		all = append(all, CRD{Name: definition.Name, Kind: definition.Spec.Names.Kind, Version: version.Name, YAML: text, schema: schema})
	}
	return all
}

// Compare returns the paths of what the schema of a cluster's CRD lacks, and of what it has in addition, such as spec.suspend. A rule
// or limit that differs is in missing, with its path. Descriptions are not compared.
func (c CRD) Compare(there *apiextensionsv1.CustomResourceDefinition) (missing, extra []string, err error) {
	at := slices.IndexFunc(there.Spec.Versions, func(v apiextensionsv1.CustomResourceDefinitionVersion) bool { return v.Name == c.Version && v.Served })
	if at < 0 {
		return nil, nil, fmt.Errorf("it does not serve the version %s", c.Version)
	}
	theirs, err := tree(there.Spec.Versions[at].Schema)
	if err != nil {
		return nil, nil, err
	}
	var d difference
	d.compare("", c.schema, theirs)
	return d.missing, d.extra, nil
}

// tree returns a schema as maps and lists.
func tree(schema *apiextensionsv1.CustomResourceValidation) (any, error) {
	if schema == nil {
		return nil, nil
	}
	text, err := json.Marshal(schema.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	var content any
	return content, json.Unmarshal(text, &content)
}

// difference collects paths.
type difference struct{ missing, extra []string }

// structure are the members of a schema that are no part of a field's path.
var structure = []string{"properties", "items", "additionalProperties"}

func (d *difference) compare(path string, own, theirs any) {
	ours, isMap := own.(map[string]any)
	other, otherIsMap := theirs.(map[string]any)
	if !isMap || !otherIsMap {
		if text(own) != text(theirs) {
			d.missing = append(d.missing, shown(path))
		}
		return
	}
	inProperties := strings.HasSuffix(path, "properties")
	for _, key := range keys(ours, other) {
		mine, have := ours[key]
		its, has := other[key]
		switch at := join(path, key); {
		case key == "description" && !inProperties:
		case !has:
			d.missing = append(d.missing, shown(at))
		case !have:
			d.extra = append(d.extra, shown(at))
		case key == "properties" || inProperties || slices.Contains(structure, key):
			d.compare(at, mine, its)
		case text(mine) != text(its):
			d.missing = append(d.missing, shown(at))
		}
	}
}

func keys(a, b map[string]any) []string {
	var all []string
	for key := range a {
		all = append(all, key)
	}
	for key := range b {
		if _, in := a[key]; !in {
			all = append(all, key)
		}
	}
	slices.Sort(all)
	return all
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "/" + key
}

// shown turns a path in the schema into the path of a field, and names a rule in words.
func shown(path string) string {
	var parts []string
	for _, part := range strings.Split(path, "/") {
		switch part {
		case "properties":
		case "items":
			parts = append(parts, "[]")
		case "x-kubernetes-validations":
			parts = append(parts, "(rules)")
		default:
			parts = append(parts, part)
		}
	}
	return strings.NewReplacer(".[]", "[]", ".(", " (").Replace(strings.Join(parts, "."))
}

// text is a value in one form, for comparison.
func text(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(content)
}
