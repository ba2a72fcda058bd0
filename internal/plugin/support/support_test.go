package support_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/support"
	"github.com/vaultpane/vaultpane/test/controlplane"
)

// What is planted, and must not come out.
const (
	planted = "s3cr3t-of-the-test"
	token   = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJ0ZXN0LXNlY3JldCJ9.c2lnbmF0dXJlLW9mLXRlc3Q"
)

// secrets are objects with secrets in every place that people put them into.
const secrets = `
apiVersion: v1
kind: Secret
metadata: {name: azure, namespace: vaultpane-system, labels: {app.kubernetes.io/name: vaultpane}}
stringData: {AZURE_CLIENT_SECRET: s3cr3t-of-the-test}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: mine, namespace: vaultpane-system, labels: {app.kubernetes.io/name: vaultpane}}
data:
  password: s3cr3t-of-the-test
  settings: "client_secret=s3cr3t-of-the-test and the rest"
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: vaultpane-agent, namespace: vaultpane-system, labels: {app.kubernetes.io/name: vaultpane, app.kubernetes.io/component: agent}}
spec:
  selector: {matchLabels: {app.kubernetes.io/component: agent}}
  template:
    metadata: {labels: {app.kubernetes.io/component: agent}, annotations: {note: "token: ` + token + `"}}
    spec:
      containers:
      - name: agent
        image: agent
        args: ["--proxy=http://user:s3cr3t-of-the-test@proxy:8080"]
        env:
        - {name: AZURE_CLIENT_SECRET, value: s3cr3t-of-the-test}
        - {name: AZURE_CLIENT_ID, value: 3f2504e0-4f89-11d3-9a0c-0305e82c3301}
        - {name: AZURE_FEDERATED_TOKEN_FILE, value: /var/run/secrets/token}
---
apiVersion: v1
kind: Pod
metadata: {name: agent-1, namespace: vaultpane-system, labels: {app.kubernetes.io/name: vaultpane, app.kubernetes.io/component: agent}}
spec:
  containers: [{name: agent, image: agent, env: [{name: MY_PASSWORD, value: s3cr3t-of-the-test}]}]
---
apiVersion: vaultpane.dev/v1alpha1
kind: ObservedCertificate
metadata: {name: web}
spec: {url: "https://shop.vault.azure.net/secrets/web"}
`

// start returns a cluster with these objects, and a client that reads logs from a kubelet which does not exist.
func start(t *testing.T) *cluster.Client {
	t.Helper()
	plane := controlplane.ForTest(t)
	if err := plane.InstallCRDs(t.Context(), "../../../config/crd"); err != nil {
		t.Fatal(err)
	}
	run := func(input string, arguments ...string) {
		command := plane.Kubectl(arguments...)
		command.Stdin = strings.NewReader(input)
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("kubectl %v: %v\n%s", arguments, err, output)
		}
	}
	run("", "create", "namespace", "vaultpane-system")
	run(secrets, "apply", "-f", "-")
	run("", "-n", "vaultpane-system", "patch", "pod", "agent-1", "--subresource=status", "--type=merge",
		"-p", `{"status":{"containerStatuses":[{"name":"agent","image":"agent","imageID":"","ready":false,"restartCount":2}]}}`)
	return throughKubelet(t, plane.Config())
}

// throughKubelet answers requests for logs itself, and passes on the others.
func throughKubelet(t *testing.T, config *rest.Config) *cluster.Client {
	t.Helper()
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Transport: transport, Rewrite: func(request *httputil.ProxyRequest) { request.SetURL(target) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if strings.HasSuffix(request.URL.Path, "/log") {
			_, _ = fmt.Fprintf(w, "2026-06-01T12:00:00Z {\"msg\":\"Signed in\",\"access_token\":%q}\n2026-06-01T12:00:01Z Authorization: Bearer %s\nprevious %s\n", planted, token, request.URL.Query().Get("previous"))
			return
		}
		proxy.ServeHTTP(w, request)
	}))
	t.Cleanup(server.Close)
	client, err := cluster.NewClient(&rest.Config{Host: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestABundleHasNoSecret(t *testing.T) {
	collector := &support.Collector{Cluster: start(t), Namespace: "vaultpane-system"}
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	files, missing := collector.Collect(t.Context())
	if len(missing) > 0 {
		t.Errorf("not collected: %v", missing)
	}
	name := filepath.Join(t.TempDir(), "bundle.tar.gz")
	manifest := support.Manifest(files, missing, at, "v1.2.3")
	if err := support.Create(name, manifest, files, at); err != nil {
		t.Fatal(err)
	}
	if err := support.Create(name, manifest, files, at); !errors.Is(err, fs.ErrExist) {
		t.Errorf("writing over a file: %v, want an error", err)
	}
	info, err := os.Stat(name)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file has the mode %v (%v), want 0600", info.Mode(), err)
	}
	contents := unpack(t, name)
	for file, content := range contents {
		if strings.Contains(content, planted) || strings.Contains(content, token) {
			t.Errorf("%s has a secret:\n%s", file, content)
		}
		if strings.Contains(content, "managedFields") && !strings.HasSuffix(file, "definitions.yaml") {
			t.Errorf("%s has managed fields", file)
		}
		if strings.Contains(content, "kind: Secret\n") {
			t.Errorf("%s has an object of the kind Secret", file)
		}
	}
	for file, want := range map[string]string{
		"vaultpane/MANIFEST.txt":                           "objects/observedcertificates.yaml",
		"vaultpane/objects/observedcertificates.yaml":      "https://shop.vault.azure.net/secrets/web",
		"vaultpane/objects/daemonsets.yaml":                "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
		"vaultpane/objects/configmaps.yaml":                "and the rest",
		"vaultpane/objects/pods.yaml":                      "agent-1",
		"vaultpane/objects/customresourcedefinitions.yaml": "nodecertificatestates.vaultpane.dev",
		"vaultpane/logs/agent-1-agent.log":                 "Signed in",
		"vaultpane/logs/agent-1-agent.previous.log":        "previous true",
	} {
		if !strings.Contains(contents[file], want) {
			t.Errorf("%s lacks %q:\n%s", file, want, contents[file])
		}
	}
	if !strings.Contains(contents["vaultpane/objects/daemonsets.yaml"], "value: /var/run/secrets/token") {
		t.Error("the path of the token's file was removed")
	}
	sameAgain(t, collector, manifest, files, at)
}

// sameAgain checks that a cluster that did not change gives the same archive.
func sameAgain(t *testing.T, collector *support.Collector, manifest string, files []support.File, at time.Time) {
	t.Helper()
	again, missing := collector.Collect(t.Context())
	var first, second bytes.Buffer
	if err := errors.Join(support.Write(&first, manifest, files, at), support.Write(&second, support.Manifest(again, missing, at, "v1.2.3"), again, at)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same cluster gives another archive")
	}
}

func unpack(t *testing.T, name string) map[string]string {
	t.Helper()
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	compressed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	contents := map[string]string{}
	archive := tar.NewReader(compressed)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return contents
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		contents[header.Name] = string(content)
	}
}
