package charts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// wrong is a slip in values.yaml, and what the chart says to it.
type wrong struct {
	// Slip says what went wrong.
	Slip string `json:"slip"`
	// Values are the values.
	Values map[string]any `json:"values"`
	// Says is in the message. It names the value and what to write instead.
	Says string `json:"says"`
}

// TestWrongValuesAreRefusedByName goes through testdata/wrong.yaml.
func TestWrongValuesAreRefusedByName(t *testing.T) {
	text, err := os.ReadFile("testdata/wrong.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var slips []wrong
	if err := yaml.UnmarshalStrict(text, &slips); err != nil {
		t.Fatal(err)
	}
	if len(slips) < 200 {
		t.Errorf("%d slips, want 200", len(slips))
	}
	dir := t.TempDir() // without the slip's name, in which Helm would take a comma for the next file
	for i, slip := range slips {
		t.Run(slip.Slip, func(t *testing.T) {
			values, err := yaml.Marshal(slip.Values)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, fmt.Sprintf("%d.yaml", i))
			if err := os.WriteFile(file, values, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err = run(t, "template", "vaultpane", chart, "--namespace", namespace, "--values", file)
			if err == nil {
				t.Fatal("the chart takes it")
			}
			if !strings.Contains(err.Error(), slip.Says) {
				t.Errorf("says %v\nwant %s", err, slip.Says)
			}
		})
	}
}
