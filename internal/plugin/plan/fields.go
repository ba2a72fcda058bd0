package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Field is a field that changes.
type Field struct {
	// Path is its path, such as spec.pollingIntervalInS.
	Path string `json:"path"`
	// From and To are its values as JSON; empty if there is none.
	From string `json:"from,omitempty"`
	To   string `json:"to,omitempty"`
}

// fieldsBetween returns what differs between an object as it is and as it would be stored: the spec, and the labels and annotations that
// the file has.
func fieldsBetween(before, after *v1alpha1.ObservedCertificate, wanted *Wanted) []Field {
	fields := differences("spec", tree(before.Spec), tree(after.Spec))
	fields = append(fields, metadata("metadata.labels", before.Labels, wanted.Labels)...)
	return append(fields, metadata("metadata.annotations", before.Annotations, wanted.Annotations)...)
}

func metadata(path string, before, wanted map[string]string) (fields []Field) {
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		value, has := before[key]
		if has && value == wanted[key] {
			continue
		}
		field := Field{Path: fmt.Sprintf("%s[%s]", path, key), To: text(wanted[key])}
		if has {
			field.From = text(value)
		}
		fields = append(fields, field)
	}
	return fields
}

// tree returns a value as maps and lists.
func tree(value any) map[string]any {
	content, err := json.Marshal(value)
	if err != nil {
		return nil // a spec has nothing that JSON has not
	}
	var object map[string]any
	if err := json.Unmarshal(content, &object); err != nil {
		return nil
	}
	return object
}

func differences(path string, before, after map[string]any) (fields []Field) {
	keys := slices.Collect(maps.Keys(before))
	for key := range after {
		if _, has := before[key]; !has {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		at, old, next := path+"."+key, before[key], after[key]
		oldMap, isMap := old.(map[string]any)
		nextMap, isStill := next.(map[string]any)
		switch {
		case isMap && isStill:
			fields = append(fields, differences(at, oldMap, nextMap)...)
		case text(old) != text(next):
			fields = append(fields, Field{Path: at, From: text(old), To: text(next)})
		}
	}
	return fields
}

// text is a value in one line; empty for none.
func text(value any) string {
	if value == nil {
		return ""
	}
	content, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(content)
}
