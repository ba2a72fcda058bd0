package apiserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A HostProcess container of containerd 1.6 has its volumes below the sandbox mount point only, the service account's too.
func TestTheServiceAccountIsFoundBelowTheSandbox(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	t.Setenv("KUBERNETES_SERVICE_PORT", "443")
	t.Setenv("KUBECONFIG", "")
	if _, err := Config(""); err == nil {
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
	config, err := Config("")
	if err != nil {
		t.Fatal(err)
	}
	if config.Host != "https://10.0.0.1:443" || config.BearerTokenFile != filepath.Join(folder, "token") || config.CAFile != filepath.Join(folder, "ca.crt") {
		t.Errorf("got %+v", config)
	}
}

// Without a kubeconfig, the error names what to set.
func TestWithoutAKubeconfigItSaysWhatToName(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	missing := filepath.Join(os.TempDir(), "no-such-folder", "kubeconfig")
	for name, test := range map[string]struct {
		variable, path string
		want           []string
	}{
		"none":                     {missing, "", []string{"no kubeconfig", "--kubeconfig", "KUBECONFIG"}},
		"a file that is not there": {"", missing, []string{"--kubeconfig does not exist", missing}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", test.variable)
			_, err := Config(test.path)
			if err == nil {
				t.Fatal("it was taken")
			}
			for _, want := range append(test.want, "configuring the connection to the API server") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
			if strings.Contains(err.Error(), "KUBERNETES_MASTER") {
				t.Errorf("%q advises what is not read", err)
			}
		})
	}
}
