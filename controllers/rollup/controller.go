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
	// Agents are the labels of the nodes that run the agent, as in the agents' DaemonSet. A node with other labels counts
	// while an agent reports from it.
	Agents labels.Selector
	// ExpiringSoon is how long before its end a certificate counts as expiring soon.
	ExpiringSoon time.Duration
	// Version is the controller's, for the metrics.
	Version string
	// WatchEvents is how many watch events a second status writes may cause at all agents together.
	WatchEvents int
}

// Rollup keeps the status of every ObservedCertificate. Its two controllers take changes of nodes and of certificates into
// an index, and a publisher writes from there.
type Rollup struct {
	client.Client
	// APIReader reads without the cache, to be sure that a Node is gone.
	APIReader client.Reader
	Events    events.EventRecorder
	Now       func() time.Time
	// Registry takes the metrics; nil for controller-runtime's.
	Registry prometheus.Registerer
	Options

	intake sync.Mutex // held from the look at the cache until the index has it
	index  *index
	outbox *outbox
	meters *meters
}

// SetupWithManager adds the controllers and the publisher to the manager, which runs them while it leads.
func (r *Rollup) SetupWithManager(mgr ctrl.Manager) error {
	r.index, r.outbox, r.meters = newIndex(r.Agents), newOutbox(), newMeters()
	if err := r.register(); err != nil {
		return err
	}
	// The priority queue is off on purpose: an item is a few microseconds' work on the index, served in order of arrival.
	// What is urgent is decided where it counts, among the writes. See docs/architecture.md.
	plainQueue := false
	queue := controller.Options{UsePriorityQueue: &plainQueue}
	byName := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, object client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: object.GetName()}}}
	})
	err := ctrl.NewControllerManagedBy(mgr).Named("rollup-nodes").WithOptions(queue).
		WithLogConstructor(objectlog.For(mgr.GetLogger().WithValues("controller", "rollup-nodes"), "Node")).
		For(&corev1.Node{}, builder.WithPredicates(nodeChanged())).
		Watches(&v1alpha1.NodeCertificateState{}, byName).
		Watches(&coordinationv1.Lease{}, byName).
		Complete(reconcile.Func(r.reconcileNode))
	if err != nil {
		return fmt.Errorf("adding the roll-up of nodes: %w", err)
	}
	err = ctrl.NewControllerManagedBy(mgr).Named("rollup-certificates").WithOptions(queue).
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

// nodeChanged keeps kubelet's updates of a Node's status out of the queue.
func nodeChanged() predicate.Predicate {
	tainted := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, after := e.ObjectOld.(*corev1.Node), e.ObjectNew.(*corev1.Node)
		return before.UID != after.UID || !equality.Semantic.DeepEqual(before.Spec.Taints, after.Spec.Taints) ||
			before.DeletionTimestamp.IsZero() != after.DeletionTimestamp.IsZero()
	}}
	return predicate.Or(predicate.LabelChangedPredicate{}, tainted)
}

// reconcileNode takes into the index what is known about one node.
func (r *Rollup) reconcileNode(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	found, changed, err := r.observeNode(ctx, request.Name)
	if err != nil {
		return reconcile.Result{}, err // the runtime's backoff
	}
	r.meters.coalesced.Add(float64(r.outbox.add(r.Now(), changed...)))
	if found.node == nil && found.state != nil {
		return r.removeOrphan(ctx, found.state)
	}
	return reconcile.Result{}, nil
}

// observeNode takes in what the cache has about one node. Only one call does at a time: what was read first must not
// overwrite what was read after it.
func (r *Rollup) observeNode(ctx context.Context, name string) (facts, []string, error) {
	r.intake.Lock()
	defer r.intake.Unlock()
	found, err := r.facts(ctx, name)
	if err != nil {
		return facts{}, nil, err
	}
	return found, r.index.observeNode(name, found, r.Now()), nil
}

// facts reads what the cache has about one node.
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
		return nil, nil //nolint:nilnil // absent is an answer
	}
	return object, err
}

// removeOrphan removes what a node reported that is no more. The garbage collector does that too, by the owner; this is for
// an object whose owner it does not know. The cache may lag behind a Node that is new, so the API server is asked.
func (r *Rollup) removeOrphan(ctx context.Context, state *v1alpha1.NodeCertificateState) (reconcile.Result, error) {
	err := r.APIReader.Get(ctx, types.NamespacedName{Name: state.Name}, &corev1.Node{})
	if err == nil {
		return reconcile.Result{}, nil // its event is under way
	}
	if !apierrors.IsNotFound(err) {
		return reconcile.Result{}, fmt.Errorf("reading Node %s: %w", state.Name, err)
	}
	err = r.Delete(ctx, state, client.Preconditions{UID: &state.UID, ResourceVersion: &state.ResourceVersion})
	if client.IgnoreNotFound(err) != nil {
		return reconcile.Result{}, fmt.Errorf("removing NodeCertificateState %s, whose Node is gone: %w", state.Name, err)
	}
	if err == nil {
		ctrl.LoggerFrom(ctx).Info("Removed the state of a node that is gone")
	}
	return reconcile.Result{}, nil
}

// reconcileCertificate takes into the index what one ObservedCertificate asks for, and has its status looked at.
func (r *Rollup) reconcileCertificate(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	r.intake.Lock()
	defer r.intake.Unlock()
	certificate := &v1alpha1.ObservedCertificate{}
	err := r.Get(ctx, request.NamespacedName, certificate)
	if apierrors.IsNotFound(err) {
		r.index.forgetCertificate(request.Name)
		r.outbox.add(r.Now(), request.Name) // the publisher forgets it too
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("reading ObservedCertificate %s: %w", request.Name, err)
	}
	wanted, err := wishOf(certificate)
	if err != nil {
		// The API server checks the selector; one that cannot be read all the same selects nothing.
		ctrl.LoggerFrom(ctx).Info("Cannot read the node selector", "cause", err.Error())
	}
	r.index.observeCertificate(wanted, r.Now())
	r.meters.coalesced.Add(float64(r.outbox.add(r.Now(), request.Name)))
	return reconcile.Result{}, nil
}
