package isolation

import (
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/install"
)

const (
	belongs   = " belongs to the agent on node " + another + "; this token is bound to node " + own
	oneOwner  = " must have one owner reference, to Node " + own
	wrongUID  = " must give the UID of Node " + own
	finalizer = " must not get a finalizer from an agent"
)

// forgery is a change to an object that the node's agent may write.
type forgery struct {
	name string
	make func(metav1.Object)
	says string
}

func (w *environment) forgeries() []forgery {
	owners := func(change func(*metav1.OwnerReference)) func(metav1.Object) {
		return func(o metav1.Object) {
			reference := o.GetOwnerReferences()[0]
			change(&reference)
			o.SetOwnerReferences([]metav1.OwnerReference{reference})
		}
	}
	yes := true
	return []forgery{
		{"as it should be", func(metav1.Object) {}, ""},
		{"without owner", func(o metav1.Object) { o.SetOwnerReferences(nil) }, oneOwner},
		{"owned by another Node", owners(func(r *metav1.OwnerReference) { r.Name = another }), oneOwner},
		{"owned by another kind", owners(func(r *metav1.OwnerReference) { r.Kind = "Namespace" }), oneOwner},
		{"owned by a Node of another group", owners(func(r *metav1.OwnerReference) { r.APIVersion = "example.com/v1" }), oneOwner},
		{"with a second owner", func(o metav1.Object) {
			o.SetOwnerReferences(append(o.GetOwnerReferences(), metav1.OwnerReference{APIVersion: "v1", Kind: "Node", Name: another, UID: w.nodes[another]}))
		}, oneOwner},
		{"controlled by its Node", owners(func(r *metav1.OwnerReference) { r.Controller = &yes }), oneOwner},
		{"blocking its Node's deletion", owners(func(r *metav1.OwnerReference) { r.BlockOwnerDeletion = &yes }), oneOwner},
		{"with another Node's UID in the owner", owners(func(r *metav1.OwnerReference) { r.UID = w.nodes[another] }), wrongUID},
		{"with another Node's UID everywhere", func(o metav1.Object) {
			owners(func(r *metav1.OwnerReference) { r.UID = w.nodes[another] })(o)
			claim(o, w.nodes[another])
		}, wrongUID},
		{"with another Node's UID as its claim", func(o metav1.Object) { claim(o, w.nodes[another]) }, wrongUID},
		{"with an empty claim", func(o metav1.Object) { claim(o, "") }, wrongUID},
		{"with a finalizer", func(o metav1.Object) { o.SetFinalizers([]string{"example.com/stay"}) }, finalizer},
	}
}

// claim says whose an object is: nodeUID of a NodeCertificateState, holderIdentity of a Lease.
func claim(object metav1.Object, uid types.UID) {
	text := string(uid)
	switch object := object.(type) {
	case *v1alpha1.NodeCertificateState:
		object.NodeUID = text
	case *coordinationv1.Lease:
		object.Spec.HolderIdentity = &text
		if text == "" {
			object.Spec.HolderIdentity = nil
		}
	}
}

func TestAnAgentCannotForgeItsOwnNodesObjects(t *testing.T) {
	w := sharedEnvironment(t)
	for kind, fresh := range map[string]func() client.Object{
		"NodeCertificateState": func() client.Object { return w.state(own) },
		"Lease":                func() client.Object { return w.lease(own) },
	} {
		for _, forgery := range w.forgeries() {
			t.Run("create "+kind+" "+forgery.name, func(t *testing.T) {
				object := fresh()
				forgery.make(object)
				expect(t, w.agent.Create(t.Context(), object, client.DryRunAll), forgery.says)
			})
		}
		there := fresh()
		w.there(t, there)
		for _, forgery := range w.forgeries() {
			t.Run("update "+kind+" "+forgery.name, func(t *testing.T) {
				object := fresh()
				object.SetResourceVersion(there.GetResourceVersion())
				forgery.make(object)
				expect(t, w.agent.Update(t.Context(), object, client.DryRunAll), forgery.says)
			})
		}
	}
}

func TestAFinalizerOfSomebodyElseMayStay(t *testing.T) {
	w := sharedEnvironment(t)
	lease := w.lease(own)
	lease.Finalizers = []string{"example.com/theirs"}
	w.there(t, lease)
	expect(t, w.agent.Update(t.Context(), lease), "")
	lease.Finalizers = append(lease.Finalizers, "example.com/mine")
	expect(t, w.agent.Update(t.Context(), lease), finalizer)
	lease.Finalizers = nil
	expect(t, w.agent.Update(t.Context(), lease), "")
}

// The status that people read has the version and the thumbprint of a node, as the node says them.
func TestWhatANodeSaysItHasIsNoFreeText(t *testing.T) {
	w := sharedEnvironment(t)
	for name, entry := range map[string]v1alpha1.CertificateEntry{
		"version":    {Name: "web", Version: "0123456789abcdef0123456789abcdef\x1b[2J"},
		"thumbprint": {Name: "web", Thumbprint: "8D85BA28\nrun this"},
		"length":     {Name: "web", Version: strings.Repeat("0", 1000)},
	} {
		t.Run(name, func(t *testing.T) {
			state := w.state(own)
			state.Certificates = []v1alpha1.CertificateEntry{entry}
			if err := w.agent.Create(t.Context(), state, client.DryRunAll); !apierrors.IsInvalid(err) {
				t.Errorf("got %v, want it refused as invalid", err)
			}
		})
	}
}

func TestAnAgentWritesForItsOwnNodeOnly(t *testing.T) {
	w := sharedEnvironment(t)
	generated := w.state(own)
	generated.Name, generated.GenerateName = "", own
	for name, attempt := range map[string]struct {
		object client.Object
		says   string
	}{
		"another's NodeCertificateState": {w.state(another), "NodeCertificateState " + another + belongs},
		"another's Lease":                {w.lease(another), "Lease " + install.Namespace + "/" + another + belongs},
		"a name made by the API server":  {generated, "this token is bound to node " + own},
	} {
		t.Run("create "+name, func(t *testing.T) {
			expect(t, w.agent.Create(t.Context(), attempt.object, client.DryRunAll), attempt.says)
		})
	}
	for _, kind := range []func(string) client.Object{
		func(node string) client.Object { return w.state(node) }, func(node string) client.Object { return w.lease(node) },
	} {
		theirs, ours := kind(another), kind(own)
		w.there(t, theirs)
		t.Run("update another's", func(t *testing.T) { expect(t, w.agent.Update(t.Context(), theirs), belongs) })
		t.Run("create and update the own", func(t *testing.T) {
			expect(t, w.agent.Create(t.Context(), ours), "")
			expect(t, w.agent.Update(t.Context(), ours), "")
			expect(t, w.admin.Delete(t.Context(), ours), "")
		})
	}
}

func TestAnAgentWritesEventsAboutItsOwnNodeOnly(t *testing.T) {
	w := sharedEnvironment(t)
	for name, attempt := range map[string]struct {
		make func(*eventsv1.Event)
		says string
	}{
		"about its own Node":    {func(*eventsv1.Event) {}, ""},
		"about another Node":    {func(e *eventsv1.Event) { e.Regarding.Name = another }, " must be in namespace default and regard Node " + own},
		"about another kind":    {func(e *eventsv1.Event) { e.Regarding.Kind = "Namespace" }, " must be in namespace default and regard Node " + own},
		"about nothing":         {func(e *eventsv1.Event) { e.Regarding = corev1.ObjectReference{} }, " must be in namespace default and regard Node " + own},
		"in kubelet's name":     {func(e *eventsv1.Event) { e.ReportingController = "kubelet" }, " must have the reportingController vaultpane-agent"},
		"with a finalizer":      {func(e *eventsv1.Event) { e.Finalizers = []string{"example.com/stay"} }, " must not get an owner or a finalizer"},
		"with an owner":         {func(e *eventsv1.Event) { e.OwnerReferences = w.owned("", own).OwnerReferences }, " must not get an owner or a finalizer"},
		"in the node's own way": {func(e *eventsv1.Event) { e.Related = &corev1.ObjectReference{Kind: "ObservedCertificate", Name: "web"} }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			event := install.NewEvent(own)
			attempt.make(event)
			expect(t, w.agent.Create(t.Context(), event, client.DryRunAll), attempt.says)
		})
	}
	theirs, ours := install.NewEvent(another), install.NewEvent(own)
	w.there(t, theirs)
	w.there(t, ours)
	series := client.RawPatch(types.MergePatchType, []byte(`{"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:00.000000Z"}}`))
	t.Run("patch another's", func(t *testing.T) {
		expect(t, w.agent.Patch(t.Context(), theirs, series), " must be in namespace default and regard Node "+own)
	})
	t.Run("patch the own", func(t *testing.T) { expect(t, w.agent.Patch(t.Context(), ours, series), "") })
}
