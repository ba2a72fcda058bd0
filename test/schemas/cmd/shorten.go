package main

import (
	"fmt"
	"os"

	"sigs.k8s.io/yaml"
)

// shorten copies a CRD without descriptions, which are most of it.
func shorten(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return fmt.Errorf("reading a CRD: %w", err)
	}
	var crd map[string]any
	if err := yaml.Unmarshal(text, &crd); err != nil {
		return fmt.Errorf("reading the CRD %s: %w", from, err)
	}
	withoutDescriptions(crd)
	if text, err = yaml.Marshal(crd); err != nil {
		return fmt.Errorf("writing the CRD %s: %w", to, err)
	}
	header := fmt.Sprintf("# From %s %s, Apache-2.0, without descriptions. Written by make schemas.\n", prometheusOperator, operatorVersion)
	if err := os.WriteFile(to, append([]byte(header), text...), 0o644); err != nil {
		return fmt.Errorf("writing a CRD: %w", err)
	}
	return nil
}

// withoutDescriptions leaves fields alone that have the name: those are objects.
func withoutDescriptions(value any) {
	switch value := value.(type) {
	case map[string]any:
		if _, text := value["description"].(string); text {
			delete(value, "description")
		}
		for _, inner := range value {
			withoutDescriptions(inner)
		}
	case []any:
		for _, inner := range value {
			withoutDescriptions(inner)
		}
	}
}
