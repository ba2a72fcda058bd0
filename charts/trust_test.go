package charts_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAgentsReadTheNamedConfigMapsOnly: the Role names each ConfigMap, and without names there is none. A rule without resourceNames
// would allow all of them.
func TestAgentsReadTheNamedConfigMapsOnly(t *testing.T) {
	const role, binding = "Role vaultpane-system/vaultpane-agent-trust", "RoleBinding vaultpane-system/vaultpane-agent-trust"
	for name, values := range valuesFiles(t) {
		rendered := render(t, values)
		if name != "trust" {
			if rendered[role] != nil || rendered[binding] != nil {
				t.Errorf("%s: has the right to read ConfigMaps", name)
			}
			continue
		}
		want := []any{map[string]any{"apiGroups": []any{""}, "resources": []any{"configmaps"}, "resourceNames": []any{"corporate-authorities", "proxy"}, "verbs": []any{"get", "list", "watch"}}}
		if difference := cmp.Diff(want, rendered[role].Object["rules"]); difference != "" {
			t.Errorf("the rules (-want +got):\n%s", difference)
		}
		if rendered[binding] == nil {
			t.Error("the Role is not bound")
		}
	}
}

// TestTrustNeedsNoAzure: with certificates from ConfigMaps alone, nothing of the rendering is about an identity.
func TestTrustNeedsNoAzure(t *testing.T) {
	agent := render(t, filepath.Join("testdata", "values", "trust.yaml"))["DaemonSet vaultpane-system/vaultpane-agent"]
	for _, container := range pod(t, agent).Spec.Containers {
		for _, variable := range container.Env {
			if strings.HasPrefix(variable.Name, "AZURE_") {
				t.Errorf("the agent has the variable %s", variable.Name)
			}
		}
	}
	if volumes := pod(t, agent).Spec.Volumes; len(volumes) != 0 {
		t.Errorf("the agent has the volumes %v", volumes)
	}
}
