package e2einstall

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/test/install"
)

const (
	namespace = "vaultpane-system"
	release   = "vaultpane"
	// helmLimit is how long Helm may wait.
	helmLimit = "8m"
)

// helm runs Helm as the administrator, with nothing of the caller's own settings, and returns what it printed.
func (w *environment) helm(t *testing.T, arguments ...string) string {
	t.Helper()
	output, err := install.Helm(t.Context(), w.cluster, w.root, w.dir, arguments...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// values are what an operator of the extension writes: the extension's settings as they are, and how to reach this vault.
// Only nodes whose agents run are targeted.
func (w *environment) values(t *testing.T) string {
	t.Helper()
	settings := fmt.Sprintf(`{"pollingIntervalInS": "3600", "certificateStoreName": "MY", "requireInitialSync": true, "observedCertificates": [%q]}`,
		w.shop.SecretURL("web"))
	text, err := yaml.Marshal(map[string]any{
		"secretsManagementSettings": settings,
		"certificateDefaults":       map[string]any{"nodeSelector": map[string]any{"matchLabels": map[string]any{liveLabel: "yes"}}},
		"azure":                     map[string]any{"credential": "environment", "existingSecret": "azure", "caBundle": map[string]any{"configMap": "vault-ca"}},
		"agent": map[string]any{
			"allowedVaultHosts": []any{"localhost"}, "disableChallengeResourceVerification": true,
			"initialSpread": "0s", "storeCheckInterval": "2s",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(w.dir, "values.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// What the chart before this one did not have.
const (
	newField  = "suspend"
	newColumn = "REASON"
)

const observedCertificates = "vaultpane.dev_observedcertificates.yaml"

// previousChart makes an earlier version of the chart: with a lower version, and a CRD without one of the fields and columns.
func (w *environment) previousChart(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(w.dir, "previous")
	if err := os.CopyFS(dir, os.DirFS(w.chart)); err != nil {
		t.Fatal(err)
	}
	edit(t, filepath.Join(dir, "Chart.yaml"), func(text []byte) []byte {
		return regexp.MustCompile(`(?m)^version: .*$`).ReplaceAll(text, []byte("version: 0.0.1"))
	})
	edit(t, filepath.Join(dir, "crds", observedCertificates), func(text []byte) []byte {
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.UnmarshalStrict(text, &crd); err != nil {
			t.Fatal(err)
		}
		version := &crd.Spec.Versions[0]
		version.AdditionalPrinterColumns = slices.DeleteFunc(version.AdditionalPrinterColumns, func(c apiextensionsv1.CustomResourceColumnDefinition) bool {
			return c.Name == newColumn
		})
		fields := version.Schema.OpenAPIV3Schema.Properties["spec"].Properties
		if _, found := fields[newField]; !found {
			t.Fatalf("the CRD has no field spec.%s to take away", newField)
		}
		delete(fields, newField)
		text, err := yaml.Marshal(crd)
		if err != nil {
			t.Fatal(err)
		}
		return text
	})
	return dir
}

func edit(t *testing.T, file string, change func([]byte) []byte) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
