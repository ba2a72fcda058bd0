package process

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
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

func TestTheAPIServerIsAskedWithoutTheWebProxy(t *testing.T) {
	proxy, named := &url.URL{Scheme: "http", Host: "proxy.example:3128"}, &url.URL{Scheme: "http", Host: "kube-proxy.example:8080"}
	tests := []struct {
		name        string
		kubeconfig  *url.URL // its proxy-url
		environment *url.URL
		want        string
	}{
		{"HTTPS_PROXY would capture it", nil, proxy, "none"},
		{"no HTTPS_PROXY", nil, nil, "the environment's"},
		{"the kubeconfig names a proxy", named, proxy, named.Host},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := &rest.Config{Host: "https://10.0.0.1:443"}
			if test.kubeconfig != nil {
				config.Proxy = http.ProxyURL(test.kubeconfig)
			}
			asked := ""
			withoutProxy(config, func(request *http.Request) (*url.URL, error) {
				asked = request.URL.Host
				return test.environment, nil
			})
			got := "the environment's"
			if config.Proxy != nil {
				got = "none"
				chosen, err := config.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "10.0.0.1:443"}})
				if err != nil {
					t.Fatal(err)
				}
				if chosen != nil {
					got = chosen.Host
				}
			}
			if got != test.want {
				t.Errorf("got the proxy %s, want %s", got, test.want)
			}
			if test.kubeconfig == nil && asked != "10.0.0.1:443" {
				t.Errorf("looked for the proxy of %q", asked)
			}
		})
	}
}
