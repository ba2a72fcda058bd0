package agent

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
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
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/objectlog"
)

// Options configure the reconciler.
type Options struct {
	// Workers is how many certificates are processed at once.
	Workers int
	// StoreCheckInterval is the time between two checks of the store for drift; they cost no Key Vault request.
	StoreCheckInterval time.Duration
	// NodeRecreated is called with the UID of the Node when it is seen; nil for not called. The Node of a machine that continues to
	// run may be deleted, and kubelet creates it again.
	NodeRecreated func(types.UID)
}

// Reconciler keeps one node's certificates. One work item is one ObservedCertificate, by name.
type Reconciler struct {
	Options
	Selection Selection
	// Publications are those of the engine; nil without a version watch.
	Publications *Publications
	// ConfigMaps are those of the engine; nil for none.
	ConfigMaps *ConfigMaps
	Engine     *engine.Engine
	Reporter   *report.Reporter
	Events     events.EventRecorder

	toProcess     chan event.TypedGenericEvent[string] // names of certificates to repair, and of those whose vault is watched again or whose ConfigMap changed
	eventBudget   *rate.Limiter
	droppedEvents atomic.Int64
}

// New returns a reconciler. The engine's Certificates are the selection, and its Reports the reporter.
func New(options Options, selection Selection, certificates *engine.Engine, reporter *report.Reporter, recorder events.EventRecorder) *Reconciler {
	return &Reconciler{
		Options: options, Selection: selection, Engine: certificates, Reporter: reporter, Events: recorder,
		toProcess:   make(chan event.TypedGenericEvent[string], 1024),
		eventBudget: rate.NewLimiter(eventsPerSecond, eventsBurst),
	}
}

// SetupWithManager adds the reconciler and its store check to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	// The priority queue is off on purpose: an agent has at most some hundred certificates, which the plain queue serves
	// in order of arrival, and silent stalls have been reported of the other (external-secrets issue 6053).
	plainQueue := false
	err := ctrl.NewControllerManagedBy(mgr).
		Named("node-certificates").
		For(&v1alpha1.ObservedCertificate{}, builder.WithPredicates(specOrRequestChanged())).
		Watches(&corev1.Node{}, handler.EnqueueRequestsFromMapFunc(r.allCertificates), builder.WithPredicates(predicate.Or(predicate.LabelChangedPredicate{}, recreated()))).
		WatchesRawSource(named{source.Channel(r.toProcess, handler.TypedEnqueueRequestsFromMapFunc(requestByName))}).
		WithOptions(controller.Options{MaxConcurrentReconciles: r.Workers, UsePriorityQueue: &plainQueue}).
		WithLogConstructor(objectlog.For(mgr.GetLogger(), "ObservedCertificate")).
		Complete(r)
	if err != nil {
		return fmt.Errorf("adding the node reconciler: %w", err)
	}
	if r.Publications != nil {
		r.Publications.process = r.processLater
		if err := r.Publications.SetupWithManager(mgr); err != nil {
			return fmt.Errorf("adding the watch of the version watch's Lease: %w", err)
		}
	}
	if r.ConfigMaps != nil {
		r.ConfigMaps.process = r.processLater
		if err := mgr.Add(r.ConfigMaps); err != nil {
			return fmt.Errorf("adding the watches of ConfigMaps: %w", err)
		}
	}
	if err := mgr.Add(manager.RunnableFunc(r.checkStores)); err != nil {
		return fmt.Errorf("adding the store check: %w", err)
	}
	return nil
}

// Reconcile brings one certificate to the desired state: it finds out whether the certificate targets this node, has the engine
// process it, and publishes its warnings as events.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	certificate, err := r.Selection.Get(ctx, request.Name)
	if errors.Is(err, errNoNode) {
		return reconcile.Result{}, nil // all certificates are queued again when the Node is back
	}
	if err != nil {
		return reconcile.Result{}, err // the runtime's backoff
	}
	if certificate == nil {
		r.release(ctx, request.Name)
		return reconcile.Result{}, nil
	}
	r.follow(request.Name, certificate.Spec.ConfigMap)
	result := r.Engine.Process(ctx, certificate)
	for _, warning := range result.Warnings {
		r.warn(ctx, certificate, warning)
	}
	if result.Next.IsZero() {
		return reconcile.Result{}, nil // waits for the spec, the annotation or the store check
	}
	return reconcile.Result{RequeueAfter: max(result.Next.Sub(r.Engine.Now()), time.Millisecond)}, nil
}

// release releases a certificate that no longer exists or no longer targets this node. The store check retries removals that fail.
func (r *Reconciler) release(ctx context.Context, name string) {
	r.follow(name, nil)
	if err := r.Engine.Release(ctx, name); err != nil {
		ctrl.LoggerFrom(ctx).V(1).Info("Cannot follow a deletion policy yet", "cause", err.Error())
	}
}

// follow has the ConfigMap watched that a certificate names, if it names one.
func (r *Reconciler) follow(certificate string, configMap *v1alpha1.ConfigMapKey) {
	switch {
	case r.ConfigMaps == nil:
	case configMap == nil:
		r.ConfigMaps.Follow(certificate, "")
	default:
		r.ConfigMaps.Follow(certificate, configMap.Name)
	}
}

// checkStores runs the engine's store check, which queues the certificates that have drifted.
func (r *Reconciler) checkStores(ctx context.Context) error {
	ctx = ctrl.LoggerInto(ctx, ctrl.LoggerFrom(ctx).WithName("store-check"))
	r.Engine.CheckStores(ctx, r.StoreCheckInterval, func(name string) { r.processLater(ctx, name) })
	return nil
}

// processLater queues a certificate.
func (r *Reconciler) processLater(ctx context.Context, name string) {
	select {
	case r.toProcess <- event.TypedGenericEvent[string]{Object: name}:
	case <-ctx.Done():
	}
}

// allCertificates returns every certificate: a change of the Node's labels changes which of them target it.
func (r *Reconciler) allCertificates(ctx context.Context, node client.Object) []reconcile.Request {
	if r.NodeRecreated != nil && node.GetDeletionTimestamp() == nil {
		r.NodeRecreated(node.GetUID())
	}
	var list v1alpha1.ObservedCertificateList
	if err := r.Selection.Client.List(ctx, &list); err != nil {
		return nil // the cache answers; it fails only when it is stopping
	}
	requests := make([]reconcile.Request, 0, len(list.Items))
	for _, certificate := range list.Items {
		requests = append(requests, requestByName(ctx, certificate.Name)...)
	}
	return requests
}

func requestByName(_ context.Context, name string) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: name}}}
}

// specOrRequestChanged lets through what an agent reacts to. The controller's other status writes reach every agent and end here.
func specOrRequestChanged() predicate.Predicate {
	requested := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetAnnotations()[v1alpha1.RequestedAtAnnotation] != e.ObjectNew.GetAnnotations()[v1alpha1.RequestedAtAnnotation]
	}}
	return predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, requested, recreated(), publicationChanged())
}

// recreated lets through an object that was deleted and created again between two events of the API server.
func recreated() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool { return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() }}
}

// named is the store check's source under a name that can be logged.
type named struct{ source.Source }

// String returns the name.
func (named) String() string { return "store check" }
