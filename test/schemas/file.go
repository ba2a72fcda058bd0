package schemas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
)

// Read reads what WriteFile wrote.
func Read(path string) (*Set, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading schemas: %w", err)
	}
	set := &Set{}
	if err := json.Unmarshal(text, set); err != nil {
		return nil, fmt.Errorf("reading schemas from %s: %w", path, err)
	}
	return set, nil
}

// WriteFile writes the set in a fixed order and a definition a line, so that what differs between two files is what differs
// between two versions.
func (s *Set) WriteFile(path string) error {
	var text bytes.Buffer
	fmt.Fprintf(&text, "{\"kubernetes\": %q,\n\"kinds\": {", s.Kubernetes)
	if err := writeLines(&text, s.Kinds); err != nil {
		return err
	}
	text.WriteString("},\n\"definitions\": {")
	if err := writeLines(&text, s.Definitions); err != nil {
		return err
	}
	text.WriteString("}}\n")
	if err := os.WriteFile(path, text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing schemas: %w", err)
	}
	return nil
}

func writeLines[V any](text *bytes.Buffer, values map[string]V) error {
	separator := "\n"
	for _, name := range slices.Sorted(maps.Keys(values)) {
		value, err := json.Marshal(values[name])
		if err != nil {
			return fmt.Errorf("writing the schema of %s: %w", name, err)
		}
		fmt.Fprintf(text, "%s%q: %s", separator, name, value)
		separator = ",\n"
	}
	return nil
}
