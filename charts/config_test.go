package charts_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheChartHoldsWhatConfigHolds compares the chart's copies with their originals, which are generated from the code.
func TestTheChartHoldsWhatConfigHolds(t *testing.T) {
	for folder, copies := range map[string]string{"crd": "crds", "policy": "files/policy", "rbac/agent": "files/rbac/agent", "rbac/controller": "files/rbac/controller", "rbac/view": "files/rbac/view", "trust": "files/trust"} {
		originals, err := filepath.Glob(filepath.Join("..", "config", folder, "*.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]bool{}
		for _, original := range originals {
			name := filepath.Base(original)
			if name == "kustomization.yaml" {
				continue
			}
			want[name] = true
			text, err := os.ReadFile(original)
			if err != nil {
				t.Fatal(err)
			}
			compareFile(t, filepath.Join(chart, copies, name), string(text))
		}
		have := map[string]bool{}
		found, _ := filepath.Glob(filepath.Join(chart, copies, "*"))
		for _, file := range found {
			have[filepath.Base(file)] = true
		}
		if difference := cmp.Diff(want, have); difference != "" {
			t.Errorf("config/%s (-) and %s (+) differ:\n%s", folder, copies, difference)
		}
	}
}

// TestTheManifestsAreTheChartsOwn compares config/agent and config/controller with the chart, or writes them.
func TestTheManifestsAreTheChartsOwn(t *testing.T) {
	rendered := withoutHelm(render(t, defaults))
	const header = "# The chart's defaults, written by make generate.\n"
	for file, kinds := range map[string][]string{
		"agent":      {"DaemonSet"},
		"controller": {"Deployment", "PodDisruptionBudget", "Service"},
	} {
		var keys []string
		for _, key := range rendered.keys() {
			for _, kind := range kinds {
				if strings.HasPrefix(key, kind+" ") {
					keys = append(keys, key)
				}
			}
		}
		compareFile(t, filepath.Join("..", "config", file, file+".yaml"), header+rendered.text(t, keys))
	}
}

// TestKustomizeAndChartAreTheSame builds config/default and compares it with the chart's defaults, object by object.
func TestKustomizeAndChartAreTheSame(t *testing.T) {
	text, err := kubectl(cluster(t), "", "kustomize", "../config/default")
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	built := withoutHelm(parse(t, text))
	want := withoutHelm(render(t, defaults))
	crds, err := os.ReadDir(filepath.Join(chart, "crds"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range crds { // Helm installs them in addition to the templates
		text, err := os.ReadFile(filepath.Join(chart, "crds", file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(want, parse(t, string(text)))
	}
	delete(built, "Namespace /"+namespace) // Helm makes it before the chart
	for _, key := range sorted(want, built) {
		switch {
		case want[key] == nil:
			t.Errorf("%s is in config/default only", key)
		case built[key] == nil:
			t.Errorf("%s is in the chart only", key)
		default:
			delete(want[key].Object["metadata"].(map[string]any), "labels")
			delete(built[key].Object["metadata"].(map[string]any), "labels")
			if difference := cmp.Diff(want[key].Object, built[key].Object); difference != "" {
				t.Errorf("%s: chart (-) and config/default (+) differ:\n%s", key, difference)
			}
		}
	}
}

func TestARealAPIServerTakesConfig(t *testing.T) {
	plane := cluster(t)
	for _, folder := range []string{"default", "samples"} {
		if says, err := kubectl(plane, "", "apply", "--dry-run=server", "--validate=strict", "-k", "../config/"+folder); err != nil {
			t.Errorf("config/%s: %v: %s", folder, err, says)
		}
	}
}

// withoutHelm is a rendering without hooks and without what only Helm needs.
func withoutHelm(all objects) objects {
	plain := objects{}
	for key, object := range all {
		if object.GetAnnotations()["helm.sh/hook"] != "" {
			continue
		}
		object = object.DeepCopy()
		labels := object.GetLabels()
		for _, label := range []string{"helm.sh/chart", "app.kubernetes.io/managed-by", "app.kubernetes.io/version"} {
			delete(labels, label)
		}
		object.SetLabels(labels)
		plain[key] = object
	}
	return plain
}

func sorted(sets ...objects) []string {
	all := objects{}
	for _, set := range sets {
		maps.Copy(all, set)
	}
	return all.keys()
}
