package startuptaint_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/startuptaint"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/install"
)

// running is a running reconciler with the controller's rights and a reduced cache of nodes.
type running struct {
	registry *prometheus.Registry
	stop     func()
}

func (c *cluster) run(t *testing.T) *running {
	t.Helper()
	return c.runBy(t, time.Now)
}

// runBy is run with another clock.
func (c *cluster) runBy(t *testing.T, now func() time.Time) *running {
	t.Helper()
	again, timeout := true, await.Limit
	mgr, err := ctrl.NewManager(c.controller, ctrl.Options{
		Scheme: scheme, Logger: log.logger(), Metrics: metricsserver.Options{BindAddress: "0"}, GracefulShutdownTimeout: &timeout,
		Controller: config.Controller{SkipNameValidation: &again}, // this process has several, also at once
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&corev1.Node{}: {Transform: stripNode}, &coordinationv1.Lease{}: {Namespaces: map[string]cache.Config{install.Namespace: {}}},
		}},
	})
	must(t, err)
	r := &running{registry: prometheus.NewRegistry()}
	must(t, (&startuptaint.Reconciler{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Events: mgr.GetEventRecorder("vaultpane-controller"),
		Namespace: install.Namespace, Now: now, Registry: r.registry,
	}).SetupWithManager(mgr))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("the manager ended with: %v", err)
		}
		ended <- nil // for the next caller
	}
	t.Cleanup(r.stop)
	return r
}

func stripNode(object any) (any, error) {
	if node, ok := object.(*corev1.Node); ok {
		node.ManagedFields, node.Status, node.Spec = nil, corev1.NodeStatus{}, corev1.NodeSpec{Taints: node.Spec.Taints}
	}
	return object, nil
}

// removals returns the value of the counter.
func (r *running) removals(t *testing.T) int {
	t.Helper()
	families, err := r.registry.Gather()
	must(t, err)
	for _, family := range families {
		if family.GetName() == "vaultpane_startup_taint_removals_total" {
			return int(family.GetMetric()[0].GetCounter().GetValue())
		}
	}
	t.Fatal("there is no counter of removals")
	return 0
}

// untainted waits until a node has no startup taint.
func (c *cluster) untainted(t *testing.T, when, name string) {
	t.Helper()
	await.That(t, "the taint is removed "+when, func() (bool, error) {
		taints, err := c.taints(t.Context(), name)
		return len(taints) == 0, err
	})
}

// eventsOf counts the events about the existing nodes by reason. Nodes of earlier tests had the same names, and some of their
// events may still arrive.
func (c *cluster) eventsOf(ctx context.Context) (map[string]int, error) {
	var nodes corev1.NodeList
	var list eventsv1.EventList
	if err := errors.Join(c.kube.List(ctx, &nodes), c.kube.List(ctx, &list)); err != nil {
		return nil, err
	}
	existing := map[types.UID]bool{}
	for _, node := range nodes.Items {
		existing[node.UID] = true
	}
	counts := map[string]int{}
	for _, event := range list.Items {
		if existing[event.Regarding.UID] && event.ReportingController == "vaultpane-controller" {
			counts[event.Reason]++
		}
	}
	return counts, nil
}

func TestEveryChangeThatEndsAWaitReconciles(t *testing.T) {
	c, ctx := newCluster(t), t.Context()
	must(t, c.require(ctx, "web"))
	// A new node is reconciled again after a minute anyway. By this clock it stays new for an hour.
	c.runBy(t, func() time.Time { return time.Now().Add(-time.Hour) })
	changes := []struct {
		name string
		end  func(node *corev1.Node) error
	}{
		{"when the report is written", func(node *corev1.Node) error { return c.report(ctx, node, installed("web", 1)) }},
		{"when it is added to a node that is ready", func(node *corev1.Node) error {
			if err := errors.Join(c.setTaints(ctx, node.Name, without(startup.Key)), c.report(ctx, node, installed("web", 1))); err != nil {
				return err
			}
			return c.setTaints(ctx, node.Name, adding(startup))
		}},
		{"when the node's labels change", func(node *corev1.Node) error {
			if err := errors.Join(c.report(ctx, node), c.change(ctx, "web", func(s *v1alpha1.ObservedCertificateSpec) {
				s.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "web"}}
			})); err != nil {
				return err
			}
			node.Labels["pool"] = "sql"
			return c.kube.Patch(ctx, node, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"labels":{"pool":"sql"}}}`)))
		}},
		{"when a certificate is no longer required", func(node *corev1.Node) error {
			return errors.Join(c.report(ctx, node, failing("web", "AccessDenied")),
				c.change(ctx, "web", func(s *v1alpha1.ObservedCertificateSpec) { s.RequireInitialSync = false }))
		}},
		{"when the agent can write its report again", func(node *corev1.Node) error {
			return errors.Join(c.renew(ctx, node, unwritten), c.report(ctx, node), c.renew(ctx, node, ""))
		}},
		{"when a certificate is deleted", func(node *corev1.Node) error {
			api := &v1alpha1.ObservedCertificate{}
			api.Name = "api"
			return errors.Join(c.require(ctx, "api"), c.report(ctx, node), c.kube.Delete(ctx, api))
		}},
	}
	for i, change := range changes {
		name := numbered("n", i)
		node, err := c.addNode(ctx, name, startup)
		must(t, err)
		must(t, change.end(node))
		c.untainted(t, change.name, name)
	}
	await.That(t, "each removal has its event", func() (bool, error) {
		counts, err := c.eventsOf(ctx)
		return counts[startuptaint.EventRemoved] == len(changes), err
	})
}

// TestTwoControllersAtOnce is the worst case of a change of leader: the old leader continues for a while.
func TestTwoControllersAtOnce(t *testing.T) {
	c, ctx := newCluster(t), t.Context()
	one, other := c.run(t), c.run(t)
	const nodes = 100
	for i := range nodes {
		node, err := c.addNode(ctx, numbered("n", i), startup)
		must(t, err)
		must(t, c.report(ctx, node))
	}
	for i := range nodes {
		c.untainted(t, "by one of two", numbered("n", i))
	}
	await.That(t, "each removal was counted once and has one event", func() (bool, error) {
		counts, err := c.eventsOf(ctx)
		return counts[startuptaint.EventRemoved] == nodes && one.removals(t)+other.removals(t) == nodes, err
	})
	one.stop()
	must(t, c.setTaints(ctx, numbered("n", 0), adding(startup)))
	c.untainted(t, "by the remaining one", numbered("n", 0))
	t.Logf("removals: %d and %d", one.removals(t), other.removals(t))
}
