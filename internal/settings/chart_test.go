package settings

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// chartValues are the values of the chart that matter here.
type chartValues struct {
	SecretsManagementSettings any                        `json:"secretsManagementSettings,omitempty"`
	AuthenticationSettings    any                        `json:"authenticationSettings,omitempty"`
	CertificateDefaults       map[string]any             `json:"certificateDefaults,omitempty"`
	Certificates              map[string]json.RawMessage `json:"certificates,omitempty"`
}

// TestTheChartMakesTheSameOfTheSameSettings compares names and specs with the chart's golden files. Values that only the chart
// has (certificateDefaults, and the node selector that goes with Linux nodes) are left out of the comparison.
func TestTheChartMakesTheSameOfTheSameSettings(t *testing.T) {
	files, err := filepath.Glob("../../charts/testdata/values/extension-*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("the chart's cases are missing: %q, %v", files, err)
	}
	reader := newReader(t)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var values chartValues
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(content, &values); err != nil {
				t.Fatal(err)
			}
			settings, err := json.Marshal(chartValues{SecretsManagementSettings: values.SecretsManagementSettings, AuthenticationSettings: values.AuthenticationSettings})
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]v1alpha1.ObservedCertificateSpec{}
			file, err := reader.Read(path, settings)
			if err != nil {
				t.Fatal(err)
			}
			for _, certificate := range file.Certificates {
				got[certificate.Name] = certificate.Spec
			}
			if diff := cmp.Diff(rendered(t, reader, filepath.Base(path), values), got); diff != "" {
				t.Errorf("(-chart +here):\n%s", diff)
			}
		})
	}
}

// rendered returns what the chart rendered from settings of the extension, with the CRD's defaults.
func rendered(t *testing.T, reader *Reader, name string, values chartValues) map[string]v1alpha1.ObservedCertificateSpec {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../charts/testdata/golden", name))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]v1alpha1.ObservedCertificateSpec{}
	for _, text := range strings.Split(string(content), "\n---\n") {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		if object["kind"] != kind {
			continue
		}
		spec := object["spec"].(map[string]any)
		for field := range values.CertificateDefaults {
			delete(spec, field)
		}
		delete(spec, "nodeSelector")
		again, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		file, err := reader.Read(name, again)
		if err != nil {
			t.Fatal(err)
		}
		certificate := file.Certificates[0]
		if _, own := values.Certificates[certificate.Name]; !own {
			found[certificate.Name] = certificate.Spec
		}
	}
	return found
}

// TestWhatTheChartRejectsIsRejected takes the chart's wrong values that have only settings of the extension.
func TestWhatTheChartRejectsIsRejected(t *testing.T) {
	accepted := map[string]string{
		"an empty list":                              "a machine may have no certificates",
		"a list without entries, in a string":        "a machine may have no certificates",
		"a word in another case":                     "keys may have any case",
		"an identity of settings that are not there": "this test adds a certificate",
	}
	content, err := os.ReadFile("../../charts/testdata/wrong.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Mistake string         `json:"mistake"`
		Values  map[string]any `json:"values"`
	}
	if err := yaml.Unmarshal(content, &cases); err != nil {
		t.Fatal(err)
	}
	reader, count := newReader(t), 0
	for _, test := range cases {
		settings, some := test.Values["secretsManagementSettings"]
		identity, own := test.Values["authenticationSettings"]
		delete(test.Values, "secretsManagementSettings")
		delete(test.Values, "authenticationSettings")
		if !some && !own || len(test.Values) > 0 {
			continue
		}
		count++
		if !some { // an identity needs certificates to be looked at
			settings = map[string]any{"observedCertificates": []string{web}}
		}
		text, err := json.Marshal(chartValues{SecretsManagementSettings: settings, AuthenticationSettings: identity})
		if err != nil {
			t.Fatal(err)
		}
		_, err = reader.Read("values.yaml", text)
		if why := accepted[test.Mistake]; (err == nil) != (why != "") {
			t.Errorf("%s: got %v; %s\n%s", test.Mistake, err, why, text)
		}
	}
	if count < 40 {
		t.Errorf("only %d cases were found", count)
	}
}
