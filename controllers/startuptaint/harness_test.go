package startuptaint_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/controllers/startuptaint"
	"github.com/vaultpane/vaultpane/test/install"
)

// harness is a reconciler that a test calls directly. It reads without a cache, unless the test sets an old node.
type harness struct {
	*cluster
	t          *testing.T
	reconciler *startuptaint.Reconciler
	registry   *prometheus.Registry

	mu          sync.Mutex
	now         time.Time
	patches     int
	old         *corev1.Node // the node in an outdated cache
	refusal     error        // of patches
	beforePatch func()       // changes of other clients just before each patch
	events      []string
}

func newHarness(t *testing.T) *harness {
	t.Helper()
	h := &harness{cluster: newCluster(t), t: t, registry: prometheus.NewRegistry(), now: time.Now()}
	plain, err := client.NewWithWatch(h.controller, client.Options{Scheme: scheme})
	must(t, err)
	h.reconciler = &startuptaint.Reconciler{
		Client:    interceptor.NewClient(plain, interceptor.Funcs{Get: h.get, Patch: h.patch}),
		APIReader: plain, Namespace: install.Namespace, Events: h, Now: func() time.Time { return h.now }, Registry: h.registry,
	}
	must(t, startuptaint.Prepare(h.reconciler))
	return h
}

func (h *harness) get(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if node, ok := object.(*corev1.Node); ok && h.old != nil {
		h.old.DeepCopyInto(node)
		return nil
	}
	return c.Get(ctx, key, object, options...)
}

func (h *harness) patch(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	h.patches++
	if h.beforePatch != nil {
		h.beforePatch()
	}
	if h.refusal != nil {
		return h.refusal
	}
	return c.Patch(ctx, object, patch, options...)
}

// Eventf implements events.EventRecorder.
func (h *harness) Eventf(regarding, related runtime.Object, kind, reason, _, note string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	about := ""
	if related != nil {
		about = " about " + related.(client.Object).GetName()
	}
	h.events = append(h.events, fmt.Sprintf("%s: %s %s%s: ", regarding.(client.Object).GetName(), kind, reason, about)+fmt.Sprintf(note, args...))
}

// reconcile reconciles a node and returns its taints.
func (h *harness) reconcile(name string) []string {
	h.t.Helper()
	if _, err := h.reconciler.Reconcile(h.t.Context(), requestFor(name)); err != nil {
		h.t.Fatal(err)
	}
	taints, err := h.taints(h.t.Context(), name)
	must(h.t, err)
	return taints
}

func requestFor(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKey{Name: name}}
}

// expectTaints reconciles a node and expects exactly these taints.
func (h *harness) expectTaints(when, name string, want ...string) {
	h.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), h.reconcile(name)); diff != "" {
		h.t.Errorf("%s: taints (-want +got):\n%s", when, diff)
	}
}

func (h *harness) add(name string, taints ...corev1.Taint) *corev1.Node {
	h.t.Helper()
	node, err := h.addNode(h.t.Context(), name, taints...)
	must(h.t, err)
	return node
}

func (h *harness) stored(name string) *corev1.Node {
	h.t.Helper()
	node := &corev1.Node{}
	must(h.t, h.kube.Get(h.t.Context(), client.ObjectKey{Name: name}, node))
	return node
}

const ours = "vaultpane.dev/certificates-not-ready:NoSchedule"
