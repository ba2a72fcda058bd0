package support

import "maps"

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

// scrub removes secrets from the strings of a value: all text that looks like one, and the value of a variable whose name does.
func scrub(value any) any {
	switch value := value.(type) {
	case string:
		return Text(value)
	case []any:
		list := make([]any, len(value))
		for i, one := range value {
			list[i] = scrub(one)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for key, one := range value {
			object[key] = scrub(one)
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

// cutData removes the values of a ConfigMap that are named like a secret, and binary ones.
func cutData(object map[string]any) {
	if data, ok := object["data"].(map[string]any); ok {
		for key := range data {
			if namesSecret(key) {
				data[key] = removed
			}
		}
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
