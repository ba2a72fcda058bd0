package schema

import (
	"context"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
)

// Complete removes unknown fields from an object and returns their paths, sorted, such as spec.nodeSelector.os. It also sets
// defaults, and drops nulls, as the API server does before it validates. Metadata is left alone.
func (v *Validator) Complete(object map[string]any) (unknown []string) {
	unknown = pruning.PruneWithOptions(object, v.structural, true, schema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
	defaulting.PruneNonNullableNullsWithoutDefaults(object, v.structural)
	defaulting.Default(object, v.structural)
	return unknown
}

// Validate returns what the API server says about an object that Complete prepared, in its order. As in the API server, rules
// are not evaluated while a type or a size is wrong: they could not be evaluated, or would cost too much.
func (v *Validator) Validate(ctx context.Context, object map[string]any) field.ErrorList {
	failures := validation.ValidateCustomResource(nil, object, v.types)
	failures = append(failures, listtype.ValidateListSetsAndMaps(nil, v.structural, object)...)
	if blocked(failures) {
		return failures
	}
	broken, _ := v.rules.Validate(ctx, nil, v.structural, object, nil, celconfig.RuntimeCELCostBudget)
	return append(failures, broken...)
}

// blocked is the API server's own list of failures after which rules are not evaluated (customresource.hasBlockingErr).
func blocked(failures field.ErrorList) bool {
	for _, failure := range failures {
		switch failure.Type {
		case field.ErrorTypeNotSupported, field.ErrorTypeRequired, field.ErrorTypeTooLong, field.ErrorTypeTooMany, field.ErrorTypeTypeInvalid:
			return true
		default:
		}
	}
	return false
}

// Fields returns the names of the fields that the object at a path may have, such as those of spec.authentication; none for a
// path that does not exist or whose names are free.
func (v *Validator) Fields(path string) []string {
	at := v.structural
	for _, name := range strings.Split(path, ".") {
		if name == "" {
			continue
		}
		name, _, list := strings.Cut(name, "[")
		next, known := at.Properties[name]
		if !known {
			return nil
		}
		if at = &next; list {
			at = next.Items
		}
		if at == nil {
			return nil
		}
	}
	names := make([]string, 0, len(at.Properties))
	for name := range at.Properties {
		names = append(names, name)
	}
	return names
}
