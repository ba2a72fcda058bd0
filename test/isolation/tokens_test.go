package isolation

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/install"
)

// all are the three kinds that the agent of a node writes.
func (w *environment) all(node string) map[string]client.Object {
	return map[string]client.Object{"NodeCertificateState": w.state(node), "Lease": w.lease(node), "event": install.NewEvent(node)}
}

// tries writes all three without effect and compares each response.
func (w *environment) tries(t *testing.T, with client.Client, node, says string) {
	t.Helper()
	for kind, object := range w.all(node) {
		t.Run(kind, func(t *testing.T) { expect(t, with.Create(t.Context(), object, client.DryRunAll), says) })
	}
}

func TestATokenWithoutANodeWritesNothing(t *testing.T) {
	w := sharedEnvironment(t)
	const unbound = " this token names no node. Use the token that kubelet gives to the pod"
	t.Run("a token bound to nothing", func(t *testing.T) { w.tries(t, w.tokenOf(t, ""), own, unbound) })
	t.Run("a client certificate in the agent's name", func(t *testing.T) {
		config, err := w.plane.UserConfig(install.AgentUser)
		if err != nil {
			t.Fatal(err)
		}
		w.tries(t, clientWith(t, config), own, unbound)
	})
}

func TestATokenSpeaksForTheNodeOfItsPod(t *testing.T) {
	w := sharedEnvironment(t)
	theirs := w.tokenOf(t, another)
	t.Run("the other node's token for the other node", func(t *testing.T) { w.tries(t, theirs, another, "") })
	t.Run("the other node's token for this one", func(t *testing.T) { w.tries(t, theirs, own, another) })
	t.Run("this node's token for the other one", func(t *testing.T) { w.tries(t, w.agent, another, own) })
	t.Run("a token bound to the Node itself", func(t *testing.T) {
		w.plane.SkipBefore(t, 31)
		config := w.nodeToken(t, own)
		w.tries(t, config, own, "")
		w.tries(t, config, another, own)
	})
}

// nodeToken is a client with a token as docs/security.md has it made by hand.
func (w *environment) nodeToken(t *testing.T, node string) client.Client {
	t.Helper()
	token, err := w.plane.Kubectl("-n", install.Namespace, "create", "token", install.Agent,
		"--bound-object-kind", "Node", "--bound-object-name", node).Output()
	if err != nil {
		t.Fatal(err)
	}
	config := rest.AnonymousClientConfig(w.plane.Config())
	config.BearerToken = strings.TrimSpace(string(token))
	return clientWith(t, config)
}

func TestATokenOfAnEarlierNodeDoesNotSpeakForTheLaterOneOfThatName(t *testing.T) {
	w := sharedEnvironment(t)
	const name = "remade"
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	w.there(t, node)
	w.nodes[name] = node.UID
	before := w.tokenOf(t, name)
	expect(t, before.Create(t.Context(), w.state(name), client.DryRunAll), "")
	if err := w.admin.Delete(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	between := w.tokenOf(t, name)
	again := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	w.there(t, again)
	w.nodes[name] = again.UID
	says := " must give the UID of Node " + name + " as nodeUID and in the owner reference; this token has " + string(node.UID)
	expect(t, before.Create(t.Context(), w.state(name), client.DryRunAll), says)
	t.Run("the next token does", func(t *testing.T) { w.tries(t, w.tokenOf(t, name), name, "") })
	t.Run("one made while there was no Node does", func(t *testing.T) { w.tries(t, between, name, "") })
}

func TestATokenEndsWithItsPod(t *testing.T) {
	w := sharedEnvironment(t)
	const name = "short-lived"
	agent := w.tokenOf(t, name)
	alive := func(ctx context.Context) error { return agent.List(ctx, &v1alpha1.ObservedCertificateList{}) }
	if err := alive(t.Context()); err != nil {
		t.Fatal(err)
	}
	var pods corev1.PodList
	if err := w.admin.List(t.Context(), &pods, client.MatchingFields{"spec.nodeName": name}); err != nil || len(pods.Items) != 1 {
		t.Fatalf("%d pods on the node: %v", len(pods.Items), err)
	}
	if err := w.admin.Delete(t.Context(), &pods.Items[0], client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	await.That(t, "the API server rejects the token", func() (bool, error) { // it caches tokens for seconds
		return apierrors.IsUnauthorized(alive(t.Context())), nil
	})
}

func TestOthersAreNotConcerned(t *testing.T) {
	w := sharedEnvironment(t)
	t.Run("administrators", func(t *testing.T) {
		w.tries(t, w.admin, another, "")
		invalid := w.state(another)
		invalid.OwnerReferences, invalid.Finalizers, invalid.NodeUID = nil, []string{"example.com/stay"}, "x"
		expect(t, w.admin.Create(t.Context(), invalid, client.DryRunAll), "")
	})
	for name, namespace := range map[string]string{install.Agent: metav1.NamespaceDefault, install.Agent + "-2": install.Namespace, install.Controller + "-2": install.Namespace} {
		t.Run("the service account "+name+" of "+namespace, func(t *testing.T) {
			w.there(t, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}})
			w.there(t, mastery("others-"+namespace+"-"+name, namespace, name))
			config, err := w.plane.ServiceAccountConfig(t.Context(), namespace, name, own)
			if err != nil {
				t.Fatal(err)
			}
			other := clientWith(t, config)
			await.That(t, "it has its rights", func() (bool, error) {
				return true, other.List(t.Context(), &corev1.SecretList{})
			})
			w.tries(t, other, another, "")
			theirs := w.state(another)
			w.there(t, theirs)
			expect(t, other.Delete(t.Context(), theirs), "")
		})
	}
}

// mastery gives a service account every right.
func mastery(binding, namespace, name string) *rbacv1.ClusterRoleBinding {
	return &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: binding},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: name}},
	}
}
