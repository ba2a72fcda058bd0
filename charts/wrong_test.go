package charts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// wrong is a mistake in the values, and the message that the chart gives for it.
type wrong struct {
	// Mistake describes it.
	Mistake string `json:"mistake"`
	// Values are the values.
	Values map[string]any `json:"values"`
	// Says is a part of the message, which names the value and what to write instead.
	Says string `json:"says"`
}

// TestWrongValuesAreRejectedByName goes through testdata/wrong.yaml.
func TestWrongValuesAreRejectedByName(t *testing.T) {
	text, err := os.ReadFile("testdata/wrong.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var mistakes []wrong
	if err := yaml.UnmarshalStrict(text, &mistakes); err != nil {
		t.Fatal(err)
	}
	if len(mistakes) < 200 {
		t.Errorf("%d mistakes, want 200 or more", len(mistakes))
	}
	dir := t.TempDir() // without the mistake's name, in which Helm would take a comma for the next file
	for i, mistake := range mistakes {
		t.Run(mistake.Mistake, func(t *testing.T) {
			values, err := yaml.Marshal(mistake.Values)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, fmt.Sprintf("%d.yaml", i))
			if err := os.WriteFile(file, values, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = run(t, "template", "vaultpane", chart, "--namespace", namespace, "--values", file)
			if err == nil {
				t.Fatal("the chart accepts it")
			}
			if !strings.Contains(err.Error(), mistake.Says) {
				t.Errorf("says %v\nwant %s", err, mistake.Says)
			}
		})
	}
}
