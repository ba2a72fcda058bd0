package isolation

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/install"
)

// TestTheSamplePolicyBoundsTheController applies the sample that docs/security.md offers.
func TestTheSamplePolicyBoundsTheController(t *testing.T) {
	w := sharedEnvironment(t)
	w.apply(t, filepath.Join("..", "..", "config", "samples", "controller-nodes.yaml"))
	config, err := w.plane.ServiceAccountConfig(t.Context(), install.Namespace, install.Controller, "")
	if err != nil {
		t.Fatal(err)
	}
	controller := clientWith(t, config)
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "bounded", Labels: map[string]string{"pool": "win"}},
		Spec: corev1.NodeSpec{Taints: []corev1.Taint{
			{Key: "gpu", Effect: corev1.TaintEffectNoSchedule},
			{Key: v1alpha1.StartupTaintKey, Effect: corev1.TaintEffectNoExecute},
		}},
	}
	w.there(t, node)
	refused := func(ctx context.Context, change string) string {
		err := controller.Patch(ctx, node.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(change)), client.DryRunAll)
		if err != nil && !apierrors.IsForbidden(err) {
			return err.Error()
		}
		_, says, _ := strings.Cut(messageOf(err), "denied request: ")
		return says
	}
	const label = `[{"op": "add", "path": "/metadata/labels/evil", "value": "yes"}]`
	await.That(t, "the policy is in force", func() (bool, error) { return refused(t.Context(), label) != "", nil })
	const (
		itsTaints = "the controller may remove startup taints from Nodes, but no other taints, and may add none"
		itsLabels = "the controller must not change labels, annotations, finalizers or owners of Nodes"
		itsSpec   = "the controller must not change the spec of a Node except its startup taints"
	)
	for name, attempt := range map[string]struct{ change, says string }{
		"take the startup taint":     {`[{"op": "remove", "path": "/spec/taints/1"}]`, ""},
		"take another taint":         {`[{"op": "remove", "path": "/spec/taints/0"}]`, itsTaints},
		"take all taints":            {`[{"op": "remove", "path": "/spec/taints"}]`, itsTaints},
		"put a taint on":             {`[{"op": "add", "path": "/spec/taints/-", "value": {"key": "evil", "effect": "NoExecute"}}]`, itsTaints},
		"give a taint another value": {`[{"op": "add", "path": "/spec/taints/0/value", "value": "x"}]`, itsTaints},
		"label":                      {label, itsLabels},
		"take a label":               {`[{"op": "remove", "path": "/metadata/labels/pool"}]`, itsLabels},
		"annotate":                   {`[{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}]`, itsLabels},
		"hold up its deletion":       {`[{"op": "add", "path": "/metadata/finalizers", "value": ["example.com/stay"]}]`, itsLabels},
		"cordon":                     {`[{"op": "add", "path": "/spec/unschedulable", "value": true}]`, itsSpec},
		"name another machine":       {`[{"op": "add", "path": "/spec/providerID", "value": "azure:///x"}]`, itsSpec},
	} {
		t.Run(name, func(t *testing.T) {
			if got := refused(t.Context(), attempt.change); got != attempt.says {
				t.Errorf("got  %q\nwant %q", got, attempt.says)
			}
		})
	}
}

func messageOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// apply applies a file for as long as the test runs.
func (w *environment) apply(t *testing.T, file string) {
	t.Helper()
	if output, err := w.plane.Kubectl("apply", "-f", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	t.Cleanup(func() {
		if output, err := w.plane.Kubectl("delete", "-f", file).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, output)
		}
	})
}
