package rollup

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/rollup/writequeue"
	"github.com/vaultpane/vaultpane/internal/objectlog"
)

// +kubebuilder:rbac:groups=vaultpane.dev,resources=observedcertificates,verbs=get;list;watch
// +kubebuilder:rbac:groups=vaultpane.dev,resources=observedcertificates/status,verbs=update
// +kubebuilder:rbac:groups=vaultpane.dev,resources=nodecertificatestates,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=default,resources=events,verbs=create;patch

// Options of the roll-up.
type Options struct {
	// Namespace is that of the agents' Leases.
	Namespace string
	// Agents selects the nodes that run the agent, as the agents' DaemonSet does. Any other node counts while an agent reports
	// from it.
	Agents labels.Selector
	// ExpiringSoon is how long before its expiry a certificate counts as expiring soon.
	ExpiringSoon time.Duration
	// Version is the controller's, for the metrics.
	Version string
	// WatchEvents is how many watch events per second status writes may cause, summed over all agents.
	WatchEvents int
}

// Rollup maintains the status of every ObservedCertificate. Its two controllers record changes of nodes and certificates in an
// index, and a publisher writes statuses from it.
type Rollup struct {
	client.Client
	// APIReader reads without the cache, to confirm that a Node was deleted.
	APIReader client.Reader
	// Events takes the events on ObservedCertificates.
	Events events.EventRecorder
	// Versions tells which version nodes should have; nil where the version watch is off.
	Versions Versions
	// Now is the clock.
	Now func() time.Time
	// Registry takes the metrics; nil for controller-runtime's.
	Registry prometheus.Registerer
	Options

	observing   sync.Mutex // held from the read of the cache until the index is updated
	index       *index
	queue       *writequeue.Queue
	instruments *instruments
}

// SetupWithManager adds the controllers and the publisher to the manager, which runs them while it leads.
func (r *Rollup) SetupWithManager(mgr ctrl.Manager) error {
	if r.Versions == nil {
		r.Versions = noVersions{}
	}
	r.index, r.queue, r.instruments = newIndex(r.Agents), writequeue.New(), newInstruments()
	if err := r.register(); err != nil {
		return err
	}
	// The priority queue is off on purpose: an item takes a few microseconds of work on the index, in order of arrival. The
	// write queue orders by urgency. See docs/architecture.md.
	plainQueue := false
	options := controller.Options{UsePriorityQueue: &plainQueue}
	byName := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, object client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: object.GetName()}}}
	})
	err := ctrl.NewControllerManagedBy(mgr).Named("rollup-nodes").WithOptions(options).
		WithLogConstructor(objectlog.For(mgr.GetLogger().WithValues("controller", "rollup-nodes"), "Node")).
		For(&corev1.Node{}, builder.WithPredicates(nodeChanged())).
		Watches(&v1alpha1.NodeCertificateState{}, byName).
		Watches(&coordinationv1.Lease{}, byName).
		Complete(reconcile.Func(r.reconcileNode))
	if err != nil {
		return fmt.Errorf("adding the roll-up of nodes: %w", err)
	}
	err = ctrl.NewControllerManagedBy(mgr).Named("rollup-certificates").WithOptions(options).
		WithLogConstructor(objectlog.For(mgr.GetLogger().WithValues("controller", "rollup-certificates"), "ObservedCertificate")).
		For(&v1alpha1.ObservedCertificate{}).
		Complete(reconcile.Func(r.reconcileCertificate))
	if err != nil {
		return fmt.Errorf("adding the roll-up of certificates: %w", err)
	}
	if err := mgr.Add(manager.RunnableFunc(r.publish)); err != nil {
		return fmt.Errorf("adding the publisher: %w", err)
	}
	return nil
}

// Refresh has the status of certificates computed again, after what the version watch says of them has changed.
func (r *Rollup) Refresh(names ...string) {
	r.instruments.coalesced.Add(float64(r.queue.Add(r.Now(), names...)))
}

// nodeChanged ignores kubelet's updates of a Node's status.
func nodeChanged() predicate.Predicate {
	tainted := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*corev1.Node), e.ObjectNew.(*corev1.Node)
		return before.UID != after.UID || !equality.Semantic.DeepEqual(before.Spec.Taints, after.Spec.Taints) ||
			before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero()
	}}
	return predicate.Or(predicate.LabelChangedPredicate{}, tainted)
}

// reconcileNode records the current state of one node in the index.
func (r *Rollup) reconcileNode(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	found, changed, err := r.observeNode(ctx, request.Name)
	if err != nil {
		return reconcile.Result{}, err // the runtime's backoff
	}
	r.instruments.coalesced.Add(float64(r.queue.Add(r.Now(), changed...)))
	if found.node == nil && found.state != nil {
		return r.removeOrphan(ctx, found.state)
	}
	return reconcile.Result{}, nil
}

// observeNode copies the state of one node from the cache to the index. Calls are serialized: an older state must not overwrite
// a newer one.
func (r *Rollup) observeNode(ctx context.Context, name string) (facts, []string, error) {
	r.observing.Lock()
	defer r.observing.Unlock()
	found, err := r.facts(ctx, name)
	if err != nil {
		return facts{}, nil, err
	}
	return found, r.index.observeNode(name, found, r.Now()), nil
}

// facts reads the objects about one node from the cache.
func (r *Rollup) facts(ctx context.Context, name string) (facts, error) {
	f := facts{node: &corev1.Node{}, state: &v1alpha1.NodeCertificateState{}, lease: &coordinationv1.Lease{}}
	var err error
	if f.node, err = found(f.node, r.Get(ctx, types.NamespacedName{Name: name}, f.node)); err != nil {
		return facts{}, fmt.Errorf("reading Node %s: %w", name, err)
	}
	if f.state, err = found(f.state, r.Get(ctx, types.NamespacedName{Name: name}, f.state)); err != nil {
		return facts{}, fmt.Errorf("reading NodeCertificateState %s: %w", name, err)
	}
	if f.lease, err = found(f.lease, r.Get(ctx, types.NamespacedName{Namespace: r.Namespace, Name: name}, f.lease)); err != nil {
		return facts{}, fmt.Errorf("reading Lease %s/%s: %w", r.Namespace, name, err)
	}
	return f, nil
}

// found returns nil for an object that does not exist.
func found[T any](object *T, err error) (*T, error) {
	if apierrors.IsNotFound(err) {
		return nil, nil //nolint:nilnil // absence is a valid result
	}
	return object, err
}

// removeOrphan deletes the state of a node that was deleted. The garbage collector deletes it by its owner reference too; this
// is for a state without a known owner. The cache may not have a new Node yet, so the API server decides.
func (r *Rollup) removeOrphan(ctx context.Context, state *v1alpha1.NodeCertificateState) (reconcile.Result, error) {
	err := r.APIReader.Get(ctx, types.NamespacedName{Name: state.Name}, &corev1.Node{})
	if err == nil {
		return reconcile.Result{}, nil // its event follows
	}
	if !apierrors.IsNotFound(err) {
		return reconcile.Result{}, fmt.Errorf("reading Node %s: %w", state.Name, err)
	}
	err = r.Delete(ctx, state, client.Preconditions{UID: &state.UID, ResourceVersion: &state.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("deleting NodeCertificateState %s of a deleted Node: %w", state.Name, err)
	}
	if err == nil {
		ctrl.LoggerFrom(ctx).Info("Deleted the NodeCertificateState of a deleted node")
	}
	return reconcile.Result{}, nil
}

// reconcileCertificate records the spec of one ObservedCertificate in the index, and queues its status.
func (r *Rollup) reconcileCertificate(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	r.observing.Lock()
	defer r.observing.Unlock()
	certificate := &v1alpha1.ObservedCertificate{}
	err := r.Get(ctx, request.NamespacedName, certificate)
	if apierrors.IsNotFound(err) {
		r.index.forgetCertificate(request.Name)
		r.queue.Add(r.Now(), request.Name) // so that the publisher forgets it too
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("reading ObservedCertificate %s: %w", request.Name, err)
	}
	want, err := desiredOf(certificate)
	if err != nil {
		// The API server validates selectors, so this is not expected. The certificate selects no node.
		ctrl.LoggerFrom(ctx).Info("Cannot read the node selector", "cause", err.Error())
	}
	r.index.observeCertificate(want, r.Now())
	r.instruments.coalesced.Add(float64(r.queue.Add(r.Now(), request.Name)))
	return reconcile.Result{}, nil
}
