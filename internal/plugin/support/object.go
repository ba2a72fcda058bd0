package support

import (
	"maps"
	"strings"
)

// Metadata that is large, or that repeats the object as somebody applied it.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// clean returns an object without what may be a secret and without what nobody reads.
func clean(object map[string]any) map[string]any {
	object = maps.Clone(object)
	if metadata, ok := object["metadata"].(map[string]any); ok {
		metadata = maps.Clone(metadata)
		delete(metadata, "managedFields")
		if annotations, ok := metadata["annotations"].(map[string]any); ok {
			annotations = maps.Clone(annotations)
			delete(annotations, lastApplied)
			metadata["annotations"] = annotations
		}
		object["metadata"] = metadata
	}
	cleaned, _ := scrub(object).(map[string]any) // a map stays one
	if object["kind"] == "ConfigMap" {
		cutData(cleaned)
	}
	return cleaned
}

// scrub removes secrets from the strings of a value: all text that looks like one, and the value of a variable, of a flag or of an
// annotation whose name does.
func scrub(value any) any {
	switch value := value.(type) {
	case string:
		return Text(value)
	case []any:
		list := make([]any, len(value))
		for i, one := range value {
			list[i] = scrub(one)
			if i > 0 && isSecretFlag(value[i-1]) {
				list[i] = removed
			}
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for key, one := range value {
			object[key] = scrub(one)
		}
		if annotations, ok := object["annotations"].(map[string]any); ok {
			cutSecrets(annotations)
		}
		if name, ok := value["name"].(string); ok && namesSecret(name) {
			if _, has := value["value"].(string); has {
				object["value"] = removed
			}
		}
		return object
	}
	return value
}

// isSecretFlag reports whether a word of a command line is a flag that is named like a secret, and whose value is the next word.
func isSecretFlag(word any) bool {
	text, _ := word.(string)
	return strings.HasPrefix(text, "-") && !strings.Contains(text, "=") && namesSecret(text)
}

// cutSecrets removes the values that are named like a secret.
func cutSecrets(values map[string]any) {
	for key := range values {
		if namesSecret(key) {
			values[key] = removed
		}
	}
}

// cutData removes the values of a ConfigMap that are named like a secret, and binary ones.
func cutData(object map[string]any) {
	if data, ok := object["data"].(map[string]any); ok {
		cutSecrets(data)
	}
	if binary, ok := object["binaryData"].(map[string]any); ok {
		for key := range binary {
			binary[key] = removed
		}
	}
}

// nodeFields are what is kept of a node: its annotations and addresses are left out.
func nodeFields(node map[string]any) map[string]any {
	metadata, _ := node["metadata"].(map[string]any)
	spec, _ := node["spec"].(map[string]any)
	status, _ := node["status"].(map[string]any)
	return map[string]any{
		"apiVersion": "v1", "kind": "Node",
		"metadata": pick(metadata, "name", "uid", "labels", "creationTimestamp", "deletionTimestamp"),
		"spec":     pick(spec, "taints", "unschedulable"),
		"status":   pick(status, "conditions", "nodeInfo", "allocatable"),
	}
}

func pick(object map[string]any, keys ...string) map[string]any {
	picked := map[string]any{}
	for _, key := range keys {
		if value, has := object[key]; has {
			picked[key] = value
		}
	}
	return picked
}
