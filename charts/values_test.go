package charts_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// value is one value of values.yaml.
type value struct {
	path, comment string
	node          *yaml.Node
}

// TestEveryValueIsExplained wants a comment that begins with "--" at each value, and writes them into the chart's README.
func TestEveryValueIsExplained(t *testing.T) {
	var table strings.Builder
	section := "-"
	for _, value := range values(t) {
		if value.comment == "" {
			t.Errorf("%s has no comment", value.path)
		}
		if head, _, _ := strings.Cut(value.path, "."); head != section {
			section = head
			fmt.Fprintf(&table, "\n| `%s` | default | |\n|---|---|---|\n", section)
		}
		fmt.Fprintf(&table, "| `%s` | `%s` | %s |\n", value.path, inline(t, value.node), strings.ReplaceAll(value.comment, "|", `\|`))
	}
	const begin, end = "<!-- Begin of the values, written from values.yaml by make generate -->\n", "\n<!-- End of the values -->\n"
	readme := filepath.Join(chart, "README.md")
	text, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(text), begin)
	_, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("README.md has no markers for the values")
	}
	compareFile(t, readme, head+begin+table.String()+end+tail)
}

// TestTheSchemaKnowsEveryValue compares the keys of values.yaml with those of values.schema.json.
func TestTheSchemaKnowsEveryValue(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chart, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema map[string]any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var defaults map[string]any
	if err := yaml.Unmarshal(root, &defaults); err != nil {
		t.Fatal(err)
	}
	compareKeys(t, "", schema, schema, defaults)
	known, err := yaml.Marshal(keysBelow(schema, schema))
	if err != nil {
		t.Fatal(err)
	}
	compareFile(t, filepath.Join(chart, "files", "keys.yaml"), "# The keys that values may have, written from values.schema.json by make generate.\n"+string(known))
}

// keysBelow are the keys that a schema knows, each with those below it, for the template vaultpane.keys: Helm's message for
// an unknown key has neither the right spelling nor the known keys.
func keysBelow(root, schema map[string]any) map[string]any {
	if reference, ok := schema["$ref"].(string); ok {
		schema = root["$defs"].(map[string]any)[strings.TrimPrefix(reference, "#/$defs/")].(map[string]any)
	}
	keys := map[string]any{}
	if schema["additionalProperties"] == true {
		return keys
	}
	properties, _ := schema["properties"].(map[string]any)
	for key, property := range properties {
		keys[key] = keysBelow(root, property.(map[string]any))
	}
	for keyword, key := range map[string]string{"items": "[]", "additionalProperties": "*"} {
		inner, ok := schema[keyword].(map[string]any)
		if !ok {
			continue
		}
		if below := keysBelow(root, inner); len(below) > 0 {
			keys[key] = below
		}
	}
	return keys
}

// compareKeys goes down where the schema says which keys there are.
func compareKeys(t *testing.T, path string, root, schema map[string]any, values any) {
	t.Helper()
	if reference, ok := schema["$ref"].(string); ok {
		schema = root["$defs"].(map[string]any)[strings.TrimPrefix(reference, "#/$defs/")].(map[string]any)
	}
	properties, _ := schema["properties"].(map[string]any)
	if len(properties) == 0 || schema["additionalProperties"] != nil {
		return
	}
	have, _ := values.(map[string]any)
	var known, set []string
	for key := range properties {
		if path+key != "enabled" { // a parent chart's condition
			known = append(known, key)
		}
	}
	for key := range have {
		set = append(set, key)
	}
	slices.Sort(known)
	slices.Sort(set)
	if strings.HasSuffix(path, ".resources") || strings.HasSuffix(path, ".affinity") || strings.HasSuffix(path, ".dnsConfig") || path == "certificateDefaults" {
		return
	}
	if !reflect.DeepEqual(known, set) {
		t.Errorf("%q: the schema has %v, values.yaml %v", path, known, set)
	}
	compareRequired(t, path, schema["required"], have)
	for key, value := range have {
		if property, ok := properties[key].(map[string]any); ok {
			compareKeys(t, strings.TrimPrefix(path+"."+key, "."), root, property, value)
		}
	}
}

// compareRequired wants the schema to require values that are not empty by default, except lists and free maps: templates need
// them, and null would remove a default.
func compareRequired(t *testing.T, path string, required any, defaults map[string]any) {
	t.Helper()
	var want, have []string
	for key, value := range defaults {
		inner, isMap := value.(map[string]any)
		_, isList := value.([]any)
		free := isList && key != "command" || value == "" || key == "priorityClassName" || isMap && (len(inner) == 0 || key == "resources" || key == "affinity" || key == "labels")
		if !free {
			want = append(want, key)
		}
	}
	listed, _ := required.([]any)
	for _, key := range listed {
		have = append(have, key.(string))
	}
	slices.Sort(want)
	slices.Sort(have)
	if path == "" {
		want = slices.DeleteFunc(want, func(key string) bool { return key == "global" }) // the parent chart's
	}
	if !slices.Equal(have, want) {
		t.Errorf("%q: the schema requires %v, want %v", path, have, want)
	}
}

// values are those of values.yaml in its order. A map that has a comment of its own is one value.
func values(t *testing.T) []value {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(chart, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	return under("", document.Content[0])
}

func under(path string, node *yaml.Node) []value {
	var all []value
	for i := 0; i < len(node.Content); i += 2 {
		key, child := node.Content[i], node.Content[i+1]
		name := strings.TrimPrefix(path+"."+key.Value, ".")
		comment := explained(key.HeadComment)
		if comment == "" && child.Kind == yaml.MappingNode && len(child.Content) > 0 {
			all = append(all, under(name, child)...)
			continue
		}
		all = append(all, value{path: name, comment: comment, node: child})
	}
	return all
}

// explained is the comment from its last "# -- " on, in one line.
func explained(comment string) string {
	_, text, found := strings.Cut(comment, "# -- ")
	if !found {
		return ""
	}
	var words []string
	for line := range strings.Lines(text) {
		words = append(words, strings.Fields(strings.TrimPrefix(line, "#"))...)
	}
	return strings.Join(words, " ")
}

// inline is a value as JSON, and a string without quotes.
func inline(t *testing.T, node *yaml.Node) string {
	t.Helper()
	var value any
	if err := node.Decode(&value); err != nil {
		t.Fatal(err)
	}
	if text, ok := value.(string); ok && text != "" {
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
