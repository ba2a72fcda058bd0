package convert

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/arm"
)

// given returns the values with which a template is evaluated: those of the files of parameters for it. Files that contradict each
// other are for several environments, so the template is evaluated with each.
func (r *read) given(template arm.Template, taken map[string]bool) []arm.Values {
	declared := arm.Declared(template.Root)
	var all []arm.Values
	for _, file := range r.of(template) {
		values := arm.Given(file.Root)
		known := slices.ContainsFunc(declared, func(name string) bool { return values[name] != nil })
		if !known && len(values) > 0 {
			continue
		}
		taken[file.File] = true
		if !joined(all, values) {
			all = append(all, values)
		}
	}
	if len(all) == 0 {
		return []arm.Values{nil}
	}
	return all
}

// of returns the files of parameters that belong to a template by their names, such as web.parameters.json to web.json; else all.
func (r *read) of(template arm.Template) []arm.Template {
	stem := func(name string) string {
		name = strings.TrimSuffix(strings.ToLower(name), ".json")
		return strings.TrimSuffix(name, ".parameters")
	}
	var own []arm.Template
	for _, file := range r.parameters {
		if stem(file.File) == stem(template.File) {
			own = append(own, file)
		}
	}
	if len(own) > 0 || len(r.templates) == 1 {
		for _, file := range r.parameters {
			if len(r.templates) == 1 && stem(file.File) != stem(template.File) {
				own = append(own, file)
			}
		}
		return own
	}
	return slices.DeleteFunc(slices.Clone(r.parameters), func(file arm.Template) bool {
		return slices.ContainsFunc(r.templates, func(other arm.Template) bool { return stem(other.File) == stem(file.File) })
	})
}

// joined adds values to a set that has none of their names, and reports whether there is one.
func joined(all []arm.Values, values arm.Values) bool {
	for _, other := range all {
		free := true
		for name := range values {
			free = free && other[name] == nil
		}
		if free {
			for name, value := range values {
				other[name] = value
			}
			return true
		}
	}
	return false
}
