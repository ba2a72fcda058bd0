// Package charts_test renders the Helm chart and compares the outcome with golden files, with config/ and with the answers of a
// real API server. go test ./charts -update rewrites the golden files, config/ and the chart's README.
package charts_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "rewrite the golden files, config/ and the chart's README")

const (
	chart     = "vaultpane"
	namespace = "vaultpane-system"
)

// helm is the pinned Helm; the first call on a machine builds it.
var helm = sync.OnceValues(func() (string, error) {
	output, err := exec.Command("go", "tool", "-modfile=../hack/tools/helm/go.mod", "-n", "helm").Output()
	return strings.TrimSpace(string(output)), err
})

// run runs the pinned Helm. The error is what Helm says.
func run(t *testing.T, arguments ...string) (string, error) {
	t.Helper()
	path, err := helm()
	if err != nil {
		t.Fatalf("building Helm: %v", err)
	}
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), path, arguments...)
	command.Stdout, command.Stderr = &stdout, &stderr
	command.Env = append(os.Environ(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	if err := command.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%w: %s", err, stderr.String())
	}
	return stdout.String(), nil
}

// objects are a rendering's, each under "Kind namespace/name", as helm install would create them, and the hooks.
type objects map[string]*unstructured.Unstructured

// render renders the chart with a file of values.
func render(t *testing.T, values string) objects {
	t.Helper()
	text, err := run(t, "template", "vaultpane", chart, "--namespace", namespace, "--kube-version", "1.37.0", "--values", values)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, text)
}

func parse(t *testing.T, text string) objects {
	t.Helper()
	all := objects{}
	for document := range strings.SplitSeq(text, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.UnmarshalStrict([]byte(strings.TrimPrefix(document, "---\n")), &object.Object); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if len(object.Object) == 0 {
			continue
		}
		key := strings.TrimSpace(object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName())
		if all[key] != nil {
			t.Errorf("%s is there twice", key)
		}
		all[key] = object
	}
	return all
}

func (o objects) keys() []string {
	keys := make([]string, 0, len(o))
	for key := range o {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (o objects) text(t *testing.T, keys []string) string {
	t.Helper()
	var text strings.Builder
	for _, key := range keys {
		document, err := yaml.Marshal(o[key].Object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "---\n# %s\n%s", key, document)
	}
	return text.String()
}

// valuesFiles are the value sets of testdata/values by name.
func valuesFiles(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/values/*.yaml")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d value sets, %v; want a dozen", len(files), err)
	}
	sets := map[string]string{}
	for _, file := range files {
		sets[strings.TrimSuffix(filepath.Base(file), ".yaml")] = file
	}
	return sets
}

// compareFile compares a file with its expected content, or writes it.
func compareFile(t *testing.T, path, want string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is not up to date; read the difference that go test ./charts -update makes:\n%s", path, firstDifference(string(have), want))
	}
}

func firstDifference(have, want string) string {
	a, b := strings.Split(have, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\n- %s\n+ %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}
