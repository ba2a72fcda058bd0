package main

import (
	"os"
	"os/exec"
	"testing"
)

const proxiedVariable = "VAULTPANE_TEST_PROXIED"

// HTTPS_PROXY must not capture what the controller asks of its own cluster. Go reads the variable once a process, so this runs
// in one of its own.
func TestTheControllerBypassesTheWebProxy(t *testing.T) {
	if os.Getenv(proxiedVariable) != "" {
		kube, err := kubeConfig(os.Getenv(proxiedVariable))
		if err != nil {
			t.Fatal(err)
		}
		if kube.Proxy == nil {
			t.Fatal("HTTPS_PROXY captures what the controller asks of its own cluster")
		}
		if proxy, err := kube.Proxy(nil); err != nil || proxy != nil {
			t.Fatalf("got the proxy %v, error %v, want none", proxy, err)
		}
		return
	}
	kubeconfig, err := os.CreateTemp(t.TempDir(), "kubeconfig")
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"apiVersion": "v1", "kind": "Config", "current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "c"}}],
		"clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1:443"}}]}`
	if _, err := kubeconfig.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := kubeconfig.Close(); err != nil {
		t.Fatal(err)
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), proxiedVariable+"="+kubeconfig.Name(), "KUBERNETES_SERVICE_HOST=10.0.0.1",
		"HTTPS_PROXY=http://proxy.example:3128", "NO_PROXY=", "no_proxy=", "https_proxy=")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
}
