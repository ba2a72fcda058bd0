package charts_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/controlplane"
)

// TestARealAPIServerAcceptsEveryRendering checks more than schemas do: defaulting, validation, expressions of policies, and the
// rules for Windows pods. Unknown fields are errors.
func TestARealAPIServerAcceptsEveryRendering(t *testing.T) {
	plane := cluster(t)
	for name, values := range valuesFiles(t) {
		t.Run(name, func(t *testing.T) {
			rendered := render(t, values)
			if says, err := kubectl(plane, asPublished(rendered.text(t, rendered.keys())), "apply", "--dry-run=server", "--validate=strict", "-f", "-"); err != nil {
				t.Errorf("%v: %s", err, says)
			}
		})
	}
}

// TestMonitoringWithoutItsKindsNamesTheValue: the API server would report "no matches for kind" halfway through the installation.
func TestMonitoringWithoutItsKindsNamesTheValue(t *testing.T) {
	plane := cluster(t) // which has the operator's kinds, and not Azure's
	access := filepath.Join(t.TempDir(), "kubeconfig")
	if err := plane.WriteKubeconfig(access); err != nil {
		t.Fatal(err)
	}
	for group, says := range map[string]string{
		"monitoring.coreos.com/v1":   "",
		"azmonitoring.coreos.com/v1": "monitoring.serviceMonitor.enabled is true, but the cluster has no CRD servicemonitors.azmonitoring.coreos.com: install the CRDs of the Prometheus operator first, or set monitoring.serviceMonitor.enabled: false",
	} {
		_, err := run(t, "install", "vaultpane", chart, "--dry-run=server", "--kubeconfig", access, "--namespace", namespace, "--set", "monitoring.serviceMonitor.enabled=true,monitoring.apiVersion="+group)
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: says %v, want %q", group, err, says)
		}
	}
}

// TestPodSecurity checks with the API server's own admission at which level the pods are admitted.
func TestPodSecurity(t *testing.T) {
	plane := cluster(t)
	for _, level := range []string{"restricted", "baseline", "privileged"} {
		text := "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + level + "\n  labels:\n    pod-security.kubernetes.io/enforce: " + level + "\n"
		if says, err := kubectl(plane, text, "apply", "-f", "-"); err != nil {
			t.Fatalf("%v: %s", err, says)
		}
	}
	everything := render(t, "testdata/values/linux.yaml")
	for name, test := range map[string]struct {
		key, level string
		violations []string
	}{
		"controller":            {key: "Deployment vaultpane-system/vaultpane-controller", level: "restricted"},
		"hook for CRDs":         {key: "Job vaultpane-system/vaultpane-crds", level: "restricted"},
		"hook for taints":       {key: "Job vaultpane-system/vaultpane-remove-startup-taint", level: "restricted"},
		"agent":                 {key: "DaemonSet vaultpane-system/vaultpane-agent", level: "privileged"},
		"agent on Linux":        {key: "DaemonSet vaultpane-system/vaultpane-agent-linux", level: "privileged"},
		"agent, less":           {key: "DaemonSet vaultpane-system/vaultpane-agent", level: "baseline", violations: []string{"hostProcess", "host namespaces", "hostPort", "probe or lifecycle host"}},
		"agent on Linux, less":  {key: "DaemonSet vaultpane-system/vaultpane-agent-linux", level: "baseline", violations: []string{"host namespaces", "hostPath", "hostPort", "probe or lifecycle host"}},
		"agent, least":          {key: "DaemonSet vaultpane-system/vaultpane-agent", level: "restricted", violations: []string{"hostProcess", "host namespaces", "hostPort", "probe or lifecycle host", "runAsNonRoot"}},
		"agent on Linux, least": {key: "DaemonSet vaultpane-system/vaultpane-agent-linux", level: "restricted", violations: []string{"host namespaces", "hostPort", "probe or lifecycle host", "restricted volume types", "runAsNonRoot", "runAsUser=0"}},
	} {
		t.Run(name, func(t *testing.T) {
			created := pod(t, everything[test.key])
			created.APIVersion, created.Kind, created.GenerateName = "v1", "Pod", "pod-"
			text, err := json.Marshal(created)
			if err != nil {
				t.Fatal(err)
			}
			says, err := kubectl(plane, string(text), "create", "--namespace", test.level, "--dry-run=server", "-f", "-")
			if (err == nil) != (test.violations == nil) {
				t.Errorf("%s: %v: %s", test.level, err, says)
			}
			_, list, _ := strings.Cut(says, "violates PodSecurity")
			if plane.Minor(t) < 34 { // which does not look at the host of a probe yet
				test.violations = slices.DeleteFunc(test.violations, func(violation string) bool { return strings.HasPrefix(violation, "probe") })
			}
			for _, violation := range test.violations {
				if !strings.Contains(list, violation) {
					t.Errorf("does not name %q: %s", violation, says)
				}
			}
			if have := strings.Count(list, "), ") + 1; test.violations != nil && have != len(test.violations) {
				t.Errorf("%d violations, want %d: %s", have, len(test.violations), says)
			}
		})
	}
}

// TestWindowsPodsSetNothingThatWindowsForbids checks what is forbidden with os.name: windows, before the API server does. https://kubernetes.io/docs/concepts/windows/intro/#compatibility-v1-pod-spec-containers-securitycontext
func TestWindowsPodsSetNothingThatWindowsForbids(t *testing.T) {
	for name, values := range valuesFiles(t) {
		object := render(t, values)["DaemonSet vaultpane-system/vaultpane-agent"]
		if object == nil {
			continue
		}
		made := pod(t, object)
		options := made.Spec.SecurityContext.WindowsOptions
		if made.Spec.OS == nil || made.Spec.OS.Name != "windows" || !made.Spec.HostNetwork || !*options.HostProcess || *options.RunAsUserName != `NT AUTHORITY\SYSTEM` {
			t.Errorf("%s: is not a HostProcess pod of SYSTEM", name)
		}
		for _, container := range made.Spec.Containers {
			if len(container.Args) > 0 || len(container.Command) != 1 || container.SecurityContext != nil {
				t.Errorf("%s: has arguments %q, command %q, a security context %v", name, container.Args, container.Command, container.SecurityContext)
			}
		}
	}
}

// shared is one control plane for the package.
var shared *controlplane.ControlPlane

func TestMain(m *testing.M) {
	code := m.Run()
	if shared != nil {
		_ = shared.Stop() // the tests have said what they had to
	}
	os.Exit(code)
}

// cluster has the CRDs of Vaultpane and of the Prometheus operator, and the namespaces of the value sets.
func cluster(t *testing.T) *controlplane.ControlPlane {
	t.Helper()
	controlplane.SkipWithout(t)
	if shared != nil {
		return shared
	}
	plane, err := controlplane.Start(context.Background(), controlplane.Options{Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	shared = plane
	for _, crds := range []string{"../config/crd", "testdata/crds"} {
		if err := plane.InstallCRDs(t.Context(), crds); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{namespace, "monitoring"} {
		if says, err := kubectl(plane, "", "create", "namespace", name); err != nil {
			t.Fatalf("%v: %s", err, says)
		}
	}
	return plane
}

func kubectl(plane *controlplane.ControlPlane, input string, arguments ...string) (string, error) {
	command := plane.Kubectl(arguments...)
	command.Stdin = strings.NewReader(input)
	output, err := command.CombinedOutput()
	return string(output), err
}

// asPublished puts Azure's managed Prometheus' kinds into the operator's group, of whose kinds they are copies: Azure
// publishes no definition of its own (https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-crd).
func asPublished(rendering string) string {
	return strings.ReplaceAll(rendering, "azmonitoring.coreos.com/", "monitoring.coreos.com/")
}
