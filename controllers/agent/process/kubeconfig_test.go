package process

import (
	"os"
	"path/filepath"
	"testing"
)

// A HostProcess container of containerd 1.6 has its volumes below the sandbox mount point only, the service account's too.
func TestTheServiceAccountIsFoundBelowTheSandbox(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	t.Setenv("KUBECONFIG", "")
	if _, err := kubeConfig(""); err == nil {
		t.Fatal("there is no service account here")
	}
	sandbox, err := os.MkdirTemp("", "sandbox") // and not the test's, which Wine 8 cannot remove
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(sandbox) })
	folder := filepath.Join(sandbox, serviceAccount)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"token", "ca.crt"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CONTAINER_SANDBOX_MOUNT_POINT", sandbox)
	config, err := kubeConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://10.0.0.1:443" || config.BearerTokenFile != filepath.Join(folder, "token") || config.CAFile != filepath.Join(folder, "ca.crt") {
		t.Errorf("got %+v", config)
	}
}
