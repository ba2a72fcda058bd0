package charts_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const defaults = "testdata/values/default.yaml"

// TestRenderings compares what each value set renders with its golden file. The golden file of default has all objects, the
// others have only objects that differ from those, so that a file shows the effect of its values.
func TestRenderings(t *testing.T) {
	base := render(t, defaults)
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			rendered := render(t, values)
			golden := ""
			for _, key := range base.keys() {
				if rendered[key] == nil {
					golden += "# without " + key + "\n"
				}
			}
			var shown []string
			for _, key := range rendered.keys() {
				if name == "default" && !strings.HasPrefix(key, "ConfigMap") || base[key] == nil || !reflect.DeepEqual(base[key].Object, rendered[key].Object) {
					shown = append(shown, key)
				}
			}
			compareFile(t, filepath.Join("testdata", "golden", name+".yaml"), golden+rendered.text(t, shown))
		})
	}
}

// TestAnUpgradeRollsOnlyWhatItMust changes one value and compares the pod templates.
func TestAnUpgradeRollsOnlyWhatItMust(t *testing.T) {
	const agent, controller = "DaemonSet vaultpane-system/vaultpane-agent", "Deployment vaultpane-system/vaultpane-controller"
	base := render(t, defaults)
	for name, rolls := range map[string]struct{ agent, controller bool }{
		"extension-3x":      {},                 // certificates are objects of their own
		"monitoring":        {},                 // monitoring is separate
		"flow-and-network":  {},                 // so are network policies
		"workload-identity": {agent: true},      // the identity is the agents'
		"controller-only":   {controller: true}, //
	} {
		t.Run(name, func(t *testing.T) {
			rendered := render(t, filepath.Join("testdata", "values", name+".yaml"))
			for key, want := range map[string]bool{agent: rolls.agent, controller: rolls.controller} {
				before, after := template(base[key]), template(rendered[key])
				if !reflect.DeepEqual(before, after) != want {
					t.Errorf("%s: rolls is %v, want %v", key, !want, want)
				}
			}
		})
	}
}

// TestANewVersionOfTheChartAloneRollsNothing: pods carry no label of the chart's version.
func TestANewVersionOfTheChartAloneRollsNothing(t *testing.T) {
	for key, object := range render(t, defaults) {
		labels, _, _ := unstructuredMap(object.Object, "spec", "template", "metadata", "labels")
		for label := range labels {
			if strings.HasPrefix(label, "helm.sh/") || strings.HasSuffix(label, "/version") || strings.HasSuffix(label, "/managed-by") {
				t.Errorf("%s has the label %s on its pods", key, label)
			}
		}
	}
}

// TestANamespaceOfItsOwn: no object is in the release's namespace, or names it.
func TestANamespaceOfItsOwn(t *testing.T) {
	text, err := run(t, "template", "vaultpane", chart, "--namespace", "parent", "--set", "namespaceOverride="+namespace+",monitoring.serviceMonitor.enabled=true,flowSchema.enabled=true")
	if err != nil {
		t.Fatal(err)
	}
	want := render(t, "testdata/values/default.yaml")
	for key, object := range parse(t, text) {
		if strings.Contains(objects{key: object}.text(t, []string{key}), "parent") {
			t.Errorf("%s names the release's namespace", key)
		}
		if want[key] != nil && !reflect.DeepEqual(want[key].Object, object.Object) {
			t.Errorf("%s differs from one that is installed into the namespace", key)
		}
	}
}

// TestWithoutHooksNothingActsByItself: rendered for a tool other than Helm, which would run the Jobs for upgrade and
// uninstallation immediately, the chart contains neither these Jobs nor their objects.
func TestWithoutHooksNothingActsByItself(t *testing.T) {
	text, err := run(t, "template", "vaultpane", chart, "--namespace", namespace, "--no-hooks", "--include-crds")
	if err != nil {
		t.Fatal(err)
	}
	rendered := parse(t, text)
	want := withoutHelm(render(t, defaults))
	for _, key := range sorted(want, rendered) {
		switch {
		case strings.HasPrefix(key, "CustomResourceDefinition "):
		case want[key] == nil:
			t.Errorf("%s is left without hooks", key)
		case rendered[key] == nil:
			t.Errorf("%s is missing without hooks", key)
		}
	}
}
