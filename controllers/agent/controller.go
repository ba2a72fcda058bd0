package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
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
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/objectlog"
)

// SecretSource is where certificates come from; *keyvault.Clients is it.
type SecretSource interface {
	Get(ctx context.Context, secret keyvault.SecretURL, clientID string, since time.Time) (keyvault.Secret, error)
}

// Options configure the reconciler.
type Options struct {
	// Node is the name of the node.
	Node string
	// Workers is how many certificates are handled at once.
	Workers int
	// InitialSpread is the time over which the first polls after a start are spread.
	InitialSpread time.Duration
	// StoreCheckInterval is the time between two checks of the store for drift; they cost no Key Vault request.
	StoreCheckInterval time.Duration
	// Started is when the agent started; LastAlive when its predecessor last renewed the Lease, zero if unknown.
	Started, LastAlive time.Time
	// NodeRemade is told the UID of the Node when it is seen; nil for nobody. Somebody may delete the Node of a machine that
	// works on, and kubelet makes it anew.
	NodeRemade func(types.UID)
	// Previous are the entries that the agent reported before it was restarted.
	Previous map[string]v1alpha1.CertificateEntry
}

// Reconciler keeps one node's certificates. One work item is one ObservedCertificate, by name.
type Reconciler struct {
	client.Client
	Options
	Store    certstore.Store
	Machine  certstore.Machine
	Secrets  SecretSource
	Reporter *report.Reporter
	Events   events.EventRecorder
	Metrics  *Metrics
	Now      func() time.Time

	inventory    inventory
	records      records
	accounts     accounts
	eventsOnce   sync.Once
	eventLimiter *rate.Limiter
	recheck      chan event.TypedGenericEvent[string]
	searched     sync.Once   // the stores, before the first plan
	looked       atomic.Bool // every certificate has been looked at since the start

	sweepMu        sync.Mutex
	unneededBefore map[certstore.Remove]bool // at the last sweep
}

// SetupWithManager adds the reconciler and its store check to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	r.inventory.store = r.Store
	r.recheck = make(chan event.TypedGenericEvent[string], 1024)
	// The priority queue is off on purpose: an agent has at most some hundred certificates, which the plain queue serves
	// in order of arrival, and silent stalls have been reported of the other (external-secrets issue 6053).
	plainQueue := false
	err := ctrl.NewControllerManagedBy(mgr).
		Named("node-certificates").
		For(&v1alpha1.ObservedCertificate{}, builder.WithPredicates(specOrRequestChanged())).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(r.allCertificates), builder.WithPredicates(predicate.Or(predicate.LabelChangedPredicate{}, remade()))).
		WatchesRawSource(named{source.Channel(r.recheck, recheckHandler())}).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.Workers, UsePriorityQueue: &plainQueue}).
		WithLogConstructor(objectlog.For(mgr.GetLogger(), "ObservedCertificate")).
		Complete(r)
	if err != nil {
		return fmt.Errorf("adding the node reconciler: %w", err)
	}
	if err := mgr.Add(&storeCheck{r}); err != nil {
		return fmt.Errorf("adding the store check: %w", err)
	}
	return nil
}

// specOrRequestChanged lets through what an agent reacts to. The controller's status writes reach every agent and end here.
func specOrRequestChanged() predicate.Predicate {
	requested := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetAnnotations()[v1alpha1.RequestedAtAnnotation] != e.ObjectNew.GetAnnotations()[v1alpha1.RequestedAtAnnotation]
	}}
	return predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, requested, remade())
}

// remade lets through an object that was deleted and made anew between two looks at the API server.
func remade() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() }}
}

// named is the store check's source under a name that can be logged.
type named struct{ source.Source }

// String returns the name.
func (named) String() string { return "store check" }

func recheckHandler() handler.TypedEventHandler[string, reconcile.Request] {
	return handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, name string) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: name}}}
	})
}

func (r *Reconciler) allCertificates(ctx context.Context, node client.Object) []reconcile.Request {
	if r.NodeRemade != nil && node.GetDeletionTimestamp() == nil {
		r.NodeRemade(node.GetUID())
	}
	var list v1alpha1.ObservedCertificateList
	if err := r.List(ctx, &list); err != nil {
		return nil // the cache answers; it fails only when it is stopping
	}
	requests := make([]reconcile.Request, 0, len(list.Items))
	for _, certificate := range list.Items {
		requests = append(requests, reconcile.Request{NamespacedName: types.NamespacedName{Name: certificate.Name}})
	}
	return requests
}

// Reconcile brings one certificate to where it should be: select, observe, decide whether a poll is due, fetch, parse,
// plan, apply, report.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	wish, selected, err := r.wish(ctx, request.Name)
	if errors.Is(err, errNoNode) {
		return reconcile.Result{}, nil // all is queued again when the Node is back
	}
	if err != nil {
		return reconcile.Result{}, err // the runtime's backoff
	}
	if !selected {
		r.release(ctx, request.Name)
		return reconcile.Result{}, nil
	}
	outcome := r.converge(ctx, wish)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil //nolint:nilerr // stopping: what was cut off says nothing about the certificate
	}
	return r.conclude(ctx, wish, outcome), nil
}

// wish returns the ObservedCertificate if it exists and selects this node.
func (r *Reconciler) wish(ctx context.Context, name string) (*v1alpha1.ObservedCertificate, bool, error) {
	certificate := &v1alpha1.ObservedCertificate{}
	if err := r.Get(ctx, types.NamespacedName{Name: name}, certificate); err != nil {
		return nil, false, client.IgnoreNotFound(err)
	}
	nodeLabels, err := r.nodeLabels(ctx)
	if err != nil && (certificate.Spec.NodeSelector != nil || !errors.Is(err, errNoNode)) {
		return nil, false, err
	}
	selected, err := selects(certificate, nodeLabels)
	if err != nil {
		// The selector is checked by the API server; what still fails here selects nothing.
		ctrl.LoggerFrom(ctx).Info("Cannot read the node selector", "cause", err.Error())
	}
	return certificate, selected && certificate.DeletionTimestamp.IsZero(), nil
}

// errNoNode says that there is no Node at the moment: the machine is at its end, or somebody deleted the Node of a machine
// that works on, and kubelet will make it anew. Nobody knows then what selects it, so that nothing is let go.
var errNoNode = errors.New("the Node does not exist")

func (r *Reconciler) nodeLabels(ctx context.Context) (labels.Set, error) {
	var node corev1.Node
	if err := r.Get(ctx, types.NamespacedName{Name: r.Node}, &node); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, errNoNode
		}
		return nil, fmt.Errorf("reading Node %s: %w", r.Node, err)
	}
	return node.Labels, nil
}

// release forgets a certificate that is gone or not for this node, and lets the store follow its deletion policy. What this
// agent never had to do with is left to the store check: thousands of certificates for other nodes must not sweep once
// each. What the store refuses is none of this certificate's business: the store check tries it again.
func (r *Reconciler) release(ctx context.Context, name string) {
	r.Reporter.Drop(name)
	if !r.records.forget(name) {
		return
	}
	if err := r.sweep(ctx); err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("Cannot follow a deletion policy yet", "cause", err.Error())
	}
}
