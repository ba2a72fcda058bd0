package charts_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestWhatArtifactHubShows compares the annotations of Chart.yaml with the CRDs and examples that they describe.
// https://artifacthub.io/docs/topics/annotations/helm/
func TestWhatArtifactHubShows(t *testing.T) {
	type kind struct{ Kind, Version, Name string }
	listed, there := map[kind]bool{}, map[kind]bool{}
	annotations := annotations(t)
	var kinds []kind
	if err := yaml.Unmarshal([]byte(annotations["artifacthub.io/crds"]), &kinds); err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		listed[kind] = true
	}
	files, _ := filepath.Glob(filepath.Join(chart, "crds", "*.yaml"))
	for _, file := range files {
		var crd apiextensionsv1.CustomResourceDefinition
		read(t, file, &crd)
		for _, version := range crd.Spec.Versions {
			there[kind{crd.Spec.Names.Kind, version.Name, crd.Name}] = true
		}
	}
	if difference := cmp.Diff(there, listed); difference != "" {
		t.Errorf("the CRDs (-) and Chart.yaml (+) differ:\n%s", difference)
	}
	var examples []map[string]any
	if err := yaml.Unmarshal([]byte(annotations["artifacthub.io/crdsExamples"]), &examples); err != nil || len(examples) == 0 {
		t.Fatalf("%d examples, %v", len(examples), err)
	}
	for _, example := range examples {
		text, err := yaml.Marshal(example)
		if err != nil {
			t.Fatal(err)
		}
		if says, err := kubectl(cluster(t), string(text), "apply", "--dry-run=server", "-f", "-"); err != nil {
			t.Errorf("%v: %s", err, says)
		}
	}
}

// TestWhatAChartBrings: the package contains the licence, and the project is its maintainer.
func TestWhatAChartBrings(t *testing.T) {
	licence, err := os.ReadFile("../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	compareFile(t, filepath.Join(chart, "LICENSE"), string(licence))
	var metadata struct {
		Maintainers []struct{ Name, URL, Email string }
	}
	read(t, filepath.Join(chart, "Chart.yaml"), &metadata)
	if len(metadata.Maintainers) == 0 || metadata.Maintainers[0].URL == "" {
		t.Errorf("got maintainers %+v", metadata.Maintainers)
	}
	var repository map[string]any
	read(t, "artifacthub-repo.yml", &repository)
	if repository == nil {
		t.Error("artifacthub-repo.yml says nothing")
	}
}

func annotations(t *testing.T) map[string]string {
	t.Helper()
	var metadata struct{ Annotations map[string]string }
	read(t, filepath.Join(chart, "Chart.yaml"), &metadata)
	return metadata.Annotations
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}
