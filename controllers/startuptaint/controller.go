package startuptaint

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/flowcontrol"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/objectlog"
	"github.com/vaultpane/vaultpane/internal/startupwait"
)

// workers is how many nodes are reconciled concurrently. A removal is one round trip of some milliseconds, so a thousand nodes
// take well under a second.
const workers = 16

// contendedPause is the delay before a retry after other clients kept changing the node's taints.
const contendedPause = 500 * time.Millisecond

// Reconciler removes the startup taint from nodes. One work item is one Node, by name. Set its fields, then call
// SetupWithManager.
type Reconciler struct {
	// Client reads Nodes (metadata and spec.taints are enough), NodeCertificateStates, ObservedCertificates and the agents'
	// Leases, from a cache, and patches Nodes.
	client.Client
	// Namespace is that of the agents' Leases.
	Namespace string
	// APIReader reads a Node without a cache, after another client has changed its taints.
	APIReader client.Reader
	// Events takes the events on Nodes.
	Events events.EventRecorder
	// RunsAgent selects the nodes on which an agent runs; nil for every node. It only affects events: they say when a node waits
	// for an agent and none runs there.
	RunsAgent labels.Selector
	// Now is the clock.
	Now func() time.Time
	// Registry takes the metrics; nil for controller-runtime's.
	Registry prometheus.Registerer

	instruments *instruments
	records     records
	budget      flowcontrol.PassiveRateLimiter
}

// SetupWithManager adds the reconciler and its metrics to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	if r.Registry == nil {
		r.Registry = metrics.Registry
	}
	if err := r.prepare(); err != nil {
		return err
	}
	// The priority queue is off on purpose: it would handle nodes that are listed at the start after nodes that change, but here
	// all nodes with the taint are equal, and the plain queue handles them in order of arrival. Silent stalls of the priority
	// queue have been reported (external-secrets issue 6053).
	plainQueue := false
	err := ctrl.NewControllerManagedBy(mgr).
		Named("startup-taint").
		WithLogConstructor(objectlog.For(mgr.GetLogger().WithValues("controller", "startup-taint"), "Node")).
		For(&corev1.Node{}, builder.WithPredicates(nodeChanged())).
		Watches(&v1alpha1.NodeCertificateState{}, &handler.EnqueueRequestForObject{}).                                         // which has the node's name
		Watches(&coordinationv1.Lease{}, handler.EnqueueRequestsFromMapFunc(nodeOf), builder.WithPredicates(reportChanged())). // likewise
		Watches(&v1alpha1.ObservedCertificate{}, handler.EnqueueRequestsFromMapFunc(r.taintedNodes), builder.WithPredicates(requirementChanged())).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers, UsePriorityQueue: &plainQueue}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("adding the startup taint's reconciler: %w", err)
	}
	return nil
}

// prepare initializes the unexported fields.
func (r *Reconciler) prepare() error {
	r.budget = flowcontrol.NewTokenBucketPassiveRateLimiter(eventsPerSecond, eventBurst)
	var err error
	r.instruments, err = newInstruments(r.Registry, r)
	return err
}

// Reconcile handles one node: if it has the taint, decide what it waits for; then remove the taint or report what is missing.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	node, err := r.tainted(ctx, request.Name)
	if err != nil || node == nil {
		return reconcile.Result{}, err // without the taint there is nothing to do
	}
	waiting, err := r.waiting(ctx, node)
	if err != nil {
		return reconcile.Result{}, err // the runtime's backoff
	}
	if !waiting.Done() {
		return reconcile.Result{RequeueAfter: r.reportWait(ctx, node, waiting)}, nil // a changed report or spec reconciles sooner
	}
	err = r.remove(ctx, node)
	if errors.Is(err, errContended) {
		return reconcile.Result{RequeueAfter: contendedPause}, nil
	}
	if err != nil {
		r.reportWait(ctx, node, startupwait.Wait{Refused: err.Error()})
	}
	return reconcile.Result{}, err
}

// tainted returns a node that has the taint according to the cache, or nil.
func (r *Reconciler) tainted(ctx context.Context, name string) (*corev1.Node, error) {
	node := &corev1.Node{}
	err := r.Get(ctx, client.ObjectKey{Name: name}, node, client.UnsafeDisableDeepCopy)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading Node %s: %w", name, err)
	}
	if !isTainted(node) { // or deleted
		r.records.forget(name)
		return nil, nil
	}
	if r.records.of(node).isNewerThan(node) {
		return nil, nil // the cache does not have the removal yet
	}
	return node, nil
}

// waiting reads the state of a node from the cache and decides what it waits for.
func (r *Reconciler) waiting(ctx context.Context, node *corev1.Node) (startupwait.Wait, error) {
	state := &v1alpha1.NodeCertificateState{}
	err := r.Get(ctx, client.ObjectKey{Name: node.Name}, state, client.UnsafeDisableDeepCopy)
	if client.IgnoreNotFound(err) != nil {
		return startupwait.Wait{}, fmt.Errorf("reading NodeCertificateState %s: %w", node.Name, err)
	}
	if err != nil {
		state = nil
	}
	unwritten, err := r.unwritten(ctx, node)
	if err != nil {
		return startupwait.Wait{}, err
	}
	var certificates v1alpha1.ObservedCertificateList
	if err := r.List(ctx, &certificates, client.UnsafeDisableDeepCopy); err != nil {
		return startupwait.Wait{}, fmt.Errorf("listing the ObservedCertificates: %w", err)
	}
	waiting := startupwait.Decide(node, state, unwritten, certificates.Items)
	waiting.NoAgent = waiting.NoReport && r.RunsAgent != nil && !r.RunsAgent.Matches(labels.Set(node.Labels))
	return waiting, nil
}

// unwritten returns since when the node's agent has not been able to write its report, zero while it can.
func (r *Reconciler) unwritten(ctx context.Context, node *corev1.Node) (time.Time, error) {
	lease := &coordinationv1.Lease{}
	err := r.Get(ctx, client.ObjectKey{Namespace: r.Namespace, Name: node.Name}, lease, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("reading Lease %s/%s: %w", r.Namespace, node.Name, err)
	}
	if holder := lease.Spec.HolderIdentity; holder == nil || *holder != string(node.UID) {
		return time.Time{}, nil // of an earlier node of that name
	}
	return heartbeat.UnwrittenSince(lease), nil
}

// remove removes the taint, and emits the event and the metrics. It does nothing if another client was faster.
func (r *Reconciler) remove(ctx context.Context, node *corev1.Node) error {
	left, err := removeTaint(ctx, r.Client, r.APIReader, node)
	if err != nil || left == nil {
		return err
	}
	r.records.put(node, record{left: left.ResourceVersion})
	waited := max(0, r.Now().Sub(node.CreationTimestamp.Time)) // the API server's clock may be ahead
	r.instruments.removed(waited)
	r.emitRemoved(node, waited)
	ctrl.LoggerFrom(ctx).Info("Removed the startup taint", "duration", waited.Round(time.Second).String())
	return nil
}
