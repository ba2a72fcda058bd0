package charts_test

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/vaultpane/vaultpane/test/schemas"
)

// TestEveryRenderingFitsTheSchemasOfEveryVersion validates value sets and config/ with kubeconform. Every kind must have a
// schema: make schemas extracts them, for the kinds that test/schemas lists.
func TestEveryRenderingFitsTheSchemasOfEveryVersion(t *testing.T) {
	documents, renderings := t.TempDir(), 0
	for name, values := range valuesFiles(t) {
		rendered := render(t, values)
		write(t, filepath.Join(documents, name+".yaml"), asPublished(rendered.text(t, rendered.keys())))
		renderings += len(rendered)
	}
	kustomized, err := kubectl(cluster(t), "", "kustomize", "../config/default")
	if err != nil {
		t.Fatalf("%v: %s", err, kustomized)
	}
	write(t, filepath.Join(documents, "config.yaml"), kustomized)
	renderings += len(parse(t, kustomized))
	for _, version := range schemas.Versions {
		t.Run(version, func(t *testing.T) {
			valid := 0
			for _, found := range kubeconform(t, version, documents) {
				if found.Status == "statusValid" {
					valid++
					continue
				}
				t.Errorf("%s: %s %s %s: %s %s", filepath.Base(found.Filename), found.Version, found.Kind, found.Name, found.Status, found.Msg)
			}
			if valid != renderings {
				t.Errorf("%d objects are valid, want all %d", valid, renderings)
			}
		})
	}
}

// TestTheChartDependsOnNoVersion: one rendering serves every version, and versions without schemas are rejected.
func TestTheChartDependsOnNoVersion(t *testing.T) {
	templates := os.DirFS(filepath.Join(chart, "templates"))
	err := fs.WalkDir(templates, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := fs.ReadFile(templates, path)
		if strings.Contains(string(text), ".Capabilities") {
			t.Errorf("%s depends on what the cluster has; one rendering must fit every version", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	oldest := schemas.Versions[0]
	for version, taken := range map[string]bool{oldest: true, "v1.29.14": false} {
		says, err := run(t, "template", "vaultpane", chart, "--kube-version", version)
		if (err == nil) != taken {
			t.Errorf("Kubernetes %s: taken is %v, want %v: %v %s", version, err == nil, taken, err, says)
		}
	}
}

// TestSamplesFitFromTheVersionThatTheyName: mutating policies are in v1 from Kubernetes 1.36 on, as the sample says.
func TestSamplesFitFromTheVersionThatTheyName(t *testing.T) {
	documents, kinds := t.TempDir(), map[string]bool{}
	samples := os.DirFS(filepath.Join("..", "config", "samples"))
	if err := os.CopyFS(documents, samples); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(documents, "kustomization.yaml")); err != nil { // for kustomize, not for a cluster
		t.Fatal(err)
	}
	for _, version := range schemas.Versions {
		for _, found := range kubeconform(t, version, documents) {
			kinds[found.Kind] = true
			want := "statusValid"
			if strings.HasPrefix(found.Kind, "MutatingAdmission") && version < "v1.36" {
				want = "statusError"
			}
			if found.Status != want {
				t.Errorf("Kubernetes %s: %s %s: %s %s, want %s", version, found.Kind, found.Name, found.Status, found.Msg, want)
			}
		}
	}
	want := map[string]bool{
		"ObservedCertificate": true, "ValidatingAdmissionPolicy": true, "ValidatingAdmissionPolicyBinding": true,
		"MutatingAdmissionPolicy": true, "MutatingAdmissionPolicyBinding": true, "ClusterRole": true, "ClusterRoleBinding": true,
	}
	if !maps.Equal(kinds, want) {
		t.Errorf("the samples are %v, want %v", kinds, want)
	}
}

// TestSchemasFindSlips shows that the schemas reject invalid objects.
func TestSchemasFindSlips(t *testing.T) {
	const agent, monitor, web = "DaemonSet vaultpane-system/vaultpane-agent", "ServiceMonitor vaultpane-system/vaultpane-controller", "ObservedCertificate /web"
	pod := []string{"spec", "template", "spec"}
	for mistake, test := range map[string]struct {
		values, key string
		path        []string
		value       any
		says        string
		fine        string // the version that accepts it, if one does
	}{
		"a field of a pod is misspelt":           {"default", agent, append(pod, "nodeSelectr"), map[string]any{}, "'nodeSelectr' not allowed", ""},
		"a number is a text":                     {"default", agent, append(pod, "terminationGracePeriodSeconds"), "30", "got string, want integer", ""},
		"a field came with a later version":      {"default", agent, append(pod, "hostnameOverride"), "x", "'hostnameOverride' not allowed", "v1.37.2"},
		"a field that must be there is null":     {"default", agent, []string{"spec", "selector"}, nil, "got null, want object", ""},
		"a version of the API is gone":           {"default", agent, []string{"apiVersion"}, "apps/v1beta2", "could not find schema for DaemonSet", ""},
		"a field of ours is misspelt":            {"certificates", web, []string{"spec", "pollingInterval"}, int64(60), "'pollingInterval' not allowed", ""},
		"a field of Prometheus' is misspelt":     {"monitoring", monitor, []string{"spec", "endpoint"}, []any{}, "'endpoint' not allowed", ""},
		"the metadata of one of ours is unknown": {"certificates", web, []string{"metadata", "label"}, map[string]any{}, "'label' not allowed", ""},
	} {
		t.Run(mistake, func(t *testing.T) {
			rendered := render(t, filepath.Join("testdata", "values", test.values+".yaml"))
			object := rendered[test.key]
			if object == nil {
				t.Fatalf("no %s in %v", test.key, rendered.keys())
			}
			if err := unstructured.SetNestedField(object.Object, test.value, test.path...); err != nil {
				t.Fatal(err)
			}
			documents := t.TempDir()
			write(t, filepath.Join(documents, "mistake.yaml"), rendered.text(t, []string{test.key}))
			if found := kubeconform(t, schemas.Versions[0], documents); len(found) != 1 || found[0].Status == "statusValid" || !strings.Contains(found[0].Msg, test.says) {
				t.Errorf("%+v\nwant it to say %s", found, test.says)
			}
			if test.fine == "" {
				return
			}
			if found := kubeconform(t, test.fine, documents); len(found) != 1 || found[0].Status != "statusValid" {
				t.Errorf("Kubernetes %s: %+v, want it to be valid", test.fine, found)
			}
		})
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
