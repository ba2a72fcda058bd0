//go:build linux

package e2enode

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/test/install"
)

const (
	namespace = "vaultpane-system"
	release   = "vaultpane"
	helmLimit = "5m"
	// hostLog is a folder of the node that kubelet serves. On Linux an operator has to ask for it.
	hostLog = "/var/log/vaultpane"
)

// helm runs Helm as the administrator, with nothing of the caller's own settings.
func (w *environment) helm(t *testing.T, arguments ...string) {
	t.Helper()
	if _, err := install.Helm(t.Context(), w.cluster, w.root, w.dir, arguments...); err != nil {
		t.Fatal(err)
	}
}

// deploy installs or upgrades with the images of a tag.
func (w *environment) deploy(t *testing.T, verb, tag string) {
	t.Helper()
	w.helm(t, verb, release, *chartFlag, "--values="+w.values(t), "--wait", "--timeout="+helmLimit,
		"--set=agent.image.tag="+tag, "--set=controller.image.tag="+tag)
}

// values are how to reach this vault, agents on Linux only, and the host log. All else is the chart's default. Images are imported: a
// pull is an error.
func (w *environment) values(t *testing.T) string {
	t.Helper()
	variables := map[string]string{}
	for _, variable := range w.env {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	text, err := yaml.Marshal(map[string]any{
		"certificates": map[string]any{"web": map[string]any{"url": w.shop.SecretURL("web"), "pollingIntervalInS": 3600}},
		"azure": map[string]any{
			"credential": "workload-identity", "clientId": variables["AZURE_CLIENT_ID"], "tenantId": variables["AZURE_TENANT_ID"],
			"authorityHost":    variables["AZURE_AUTHORITY_HOST"],
			"workloadIdentity": map[string]any{"expirationSeconds": azureLifetime.Seconds()},
			"caBundle":         map[string]any{"configMap": "vault-ca"},
		},
		"agent": map[string]any{
			"enabled": false, "linux": map[string]any{"enabled": true}, "image": map[string]any{"pullPolicy": "Never"},
			"allowedVaultHosts": []any{"localhost"}, "disableChallengeResourceVerification": true,
			"initialSpread": "0s", "storeCheckInterval": "2s",
			"extraEnv":          []any{map[string]any{"name": "VAULTPANE_HOST_LOG_DIR", "value": hostLog}},
			"extraVolumes":      []any{map[string]any{"name": "log", "hostPath": map[string]any{"path": hostLog, "type": "DirectoryOrCreate"}}},
			"extraVolumeMounts": []any{map[string]any{"name": "log", "mountPath": hostLog}},
		},
		"controller": map[string]any{"image": map[string]any{"pullPolicy": "Never"}},
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
