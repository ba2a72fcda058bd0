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

// desk is a reconciler that a test calls by hand. It reads without a cache, unless the test shows it an old node.
type desk struct {
	*cluster
	t          *testing.T
	reconciler *startuptaint.Reconciler
	registry   *prometheus.Registry

	mu      sync.Mutex
	now     time.Time
	patches int
	old     *corev1.Node // what a cache that is behind would show
	refusal error        // of patches
	faster  func()       // what others do just before each patch
	events  []string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{cluster: newCluster(t), t: t, registry: prometheus.NewRegistry(), now: time.Now()}
	plain, err := client.NewWithWatch(d.controller, client.Options{Scheme: scheme})
	must(t, err)
	d.reconciler = &startuptaint.Reconciler{
		Client:    interceptor.NewClient(plain, interceptor.Funcs{Get: d.get, Patch: d.patch}),
		APIReader: plain, Namespace: install.Namespace, Events: d, Now: func() time.Time { return d.now }, Registry: d.registry,
	}
	must(t, startuptaint.Prepare(d.reconciler))
	return d
}

func (d *desk) get(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	if node, ok := object.(*corev1.Node); ok && d.old != nil {
		d.old.DeepCopyInto(node)
		return nil
	}
	return c.Get(ctx, key, object, options...)
}

func (d *desk) patch(ctx context.Context, c client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
	d.patches++
	if d.faster != nil {
		d.faster()
	}
	if d.refusal != nil {
		return d.refusal
	}
	return c.Patch(ctx, object, patch, options...)
}

// Eventf implements events.EventRecorder.
func (d *desk) Eventf(regarding, related runtime.Object, kind, reason, _, note string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	about := ""
	if related != nil {
		about = " about " + related.(client.Object).GetName()
	}
	d.events = append(d.events, fmt.Sprintf("%s: %s %s%s: ", regarding.(client.Object).GetName(), kind, reason, about)+fmt.Sprintf(note, args...))
}

// look reconciles a node and returns its taints.
func (d *desk) look(name string) []string {
	d.t.Helper()
	if _, err := d.reconciler.Reconcile(d.t.Context(), requestFor(name)); err != nil {
		d.t.Fatal(err)
	}
	taints, err := d.taints(d.t.Context(), name)
	must(d.t, err)
	return taints
}

func requestFor(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: client.ObjectKey{Name: name}}
}

// leaves fails the test unless a look at the node leaves exactly these taints.
func (d *desk) leaves(when, name string, want ...string) {
	d.t.Helper()
	if diff := cmp.Diff(append([]string{}, want...), d.look(name)); diff != "" {
		d.t.Errorf("%s: the taints differ (-want +got):\n%s", when, diff)
	}
}

func (d *desk) add(name string, taints ...corev1.Taint) *corev1.Node {
	d.t.Helper()
	node, err := d.addNode(d.t.Context(), name, taints...)
	must(d.t, err)
	return node
}

func (d *desk) stored(name string) *corev1.Node {
	d.t.Helper()
	node := &corev1.Node{}
	must(d.t, d.kube.Get(d.t.Context(), client.ObjectKey{Name: name}, node))
	return node
}

const ours = "vaultpane.dev/certificates-not-ready:NoSchedule"
