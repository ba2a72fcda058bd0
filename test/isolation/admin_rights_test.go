package isolation

import (
	"context"
	"encoding/json"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/install"
)

// The policy rejects what RBAC does not grant as well: an administrator may bind the agents to more rights than they need.
func TestThePolicyHoldsWhenTheAgentHasEveryRight(t *testing.T) {
	w := sharedEnvironment(t)
	w.master(t)
	for kind, make := range map[string]func(string) client.Object{
		"NodeCertificateState": func(node string) client.Object { return w.state(node) },
		"Lease":                func(node string) client.Object { return w.lease(node) },
		"event":                func(node string) client.Object { return install.NewEvent(node) },
	} {
		ours, theirs := make(own), make(another)
		w.there(t, ours)
		w.there(t, theirs)
		t.Run("delete the own "+kind, func(t *testing.T) { expect(t, w.agent.Delete(t.Context(), ours), " must not be deleted by agents") })
		t.Run("delete another's "+kind, func(t *testing.T) { expect(t, w.agent.Delete(t.Context(), theirs), kind) })
		t.Run("delete every "+kind, func(t *testing.T) {
			err := w.agent.DeleteAllOf(t.Context(), ours, client.InNamespace(ours.GetNamespace()))
			expect(t, err, " must not be deleted by agents")
		})
		label := client.RawPatch(types.MergePatchType, []byte(`{"metadata": {"labels": {"a": "b"}}}`))
		t.Run("patch another's "+kind, func(t *testing.T) { expect(t, w.agent.Patch(t.Context(), theirs, label), own) })
		t.Run("patch the own "+kind, func(t *testing.T) { expect(t, w.agent.Patch(t.Context(), ours, label), "") })
	}
	t.Run("take the own Lease to another namespace", func(t *testing.T) {
		lease := w.lease(own)
		lease.Namespace = "kube-node-lease"
		expect(t, w.agent.Create(t.Context(), lease, client.DryRunAll), " is not the Lease of an agent: agents may write Leases only in namespace "+install.Namespace)
	})
	for _, name := range []string{"vaultpane-controller", heartbeat.VersionWatch} {
		t.Run("take the controller's Lease "+name, func(t *testing.T) {
			lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: name}}
			w.there(t, lease)
			expect(t, w.agent.Update(t.Context(), lease), "Lease "+install.Namespace+"/"+name+" belongs to the agent on node")
		})
	}
	t.Run("an event of the old kind about another Node", func(t *testing.T) {
		event := &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: "old"},
			InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Node", Name: another}, Reason: "NodeNotReady",
		}
		expect(t, w.agent.Create(t.Context(), event, client.DryRunAll), "regard Node "+own)
	})
	t.Run("a Server-Side Apply for another node", func(t *testing.T) {
		object := w.state(another)
		object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("NodeCertificateState"))
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		patch := client.RawPatch(types.ApplyPatchType, text)
		expect(t, w.agent.Patch(t.Context(), object, patch, client.FieldOwner("agent"), client.ForceOwnership), belongs)
	})
}

// master gives the agent every right until the test ends.
func (w *environment) master(t *testing.T) {
	t.Helper()
	reads := func(ctx context.Context) bool { return w.agent.List(ctx, &corev1.SecretList{}) == nil }
	binding := mastery("agent-masters", install.Namespace, install.Agent)
	if err := w.admin.Create(t.Context(), binding); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.admin.Delete(context.Background(), binding); err != nil {
			t.Error(err)
		}
		gone := func() (bool, error) { return !reads(context.Background()), nil }
		if err := await.Until(context.Background(), "the agent has lost its rights, which the other tests do not expect", gone); err != nil {
			t.Error(err)
		}
	})
	await.That(t, "it has them", func() (bool, error) { return reads(t.Context()), nil })
}
