package startuptaint_test

import (
	"path/filepath"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/test/await"
)

// TestTheSamplePolicyAddsTheTaint applies the sample in docs/startup-taint.md.
func TestTheSamplePolicyAddsTheTaint(t *testing.T) {
	c, ctx := newCluster(t), t.Context()
	c.plane.SkipBefore(t, 36)
	sample := filepath.Join("..", "..", "config", "samples", "startup-taint.yaml")
	if output, err := c.plane.Kubectl("apply", "-f", sample).CombinedOutput(); err != nil {
		t.Fatalf("applying the sample: %v: %s", err, output)
	}
	t.Cleanup(func() {
		if output, err := c.plane.Kubectl("delete", "-f", sample).CombinedOutput(); err != nil {
			t.Errorf("deleting the sample: %v: %s", err, output)
		}
	})
	register := func(name, system string, taints ...corev1.Taint) []string {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelOSStable: system}}}
		node.Spec.Taints = taints
		must(t, c.kube.Create(ctx, node))
		must(t, c.kube.Delete(ctx, node))
		return asText(node.Spec.Taints)
	}
	await.That(t, "a Windows node gets the taint", func() (bool, error) { // the API server applies a policy after a moment
		return slices.Contains(register("windows", "windows"), ours), nil
	})
	const notReady = "node.kubernetes.io/not-ready:NoSchedule" // by TaintNodesByCondition
	if got := register("tainted", "windows", gpu); !slices.Equal(got, []string{"sku=gpu:NoSchedule", notReady, ours}) {
		t.Errorf("a node that had a taint has %q", got)
	}
	if got := register("twice", "windows", startup); !slices.Equal(got, []string{ours, notReady}) {
		t.Errorf("a node that had the startup taint has %q", got)
	}
	if got := register("linux", "linux"); !slices.Equal(got, []string{notReady}) {
		t.Errorf("a Linux node has %q", got)
	}
}
