package versionwatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/objectlog"
)

// urlIndex finds certificates in the cache by the URL of their secret.
const urlIndex = "versionwatch.url"

// SetupWithManager adds the watch to the manager, which runs it while it leads.
func (w *Watch) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	w.looks = make(chan event.TypedGenericEvent[string], 1024)
	w.records, w.byKey, w.windows, w.vaults = map[string]*record{}, map[string]string{}, windows{}, map[string]time.Time{}
	if err := w.register(); err != nil {
		return err
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &v1alpha1.ObservedCertificate{}, urlIndex, indexed); err != nil {
		return fmt.Errorf("indexing certificates by URL: %w", err)
	}
	plainQueue := false // as in the other controllers, see docs/architecture.md
	err := ctrl.NewControllerManagedBy(mgr).Named("version-watch").
		WithOptions(controller.Options{MaxConcurrentReconciles: w.Workers, UsePriorityQueue: &plainQueue}).
		WithLogConstructor(objectlog.For(mgr.GetLogger().WithValues("controller", "version-watch"), "secret")).
		Watches(&v1alpha1.ObservedCertificate{}, w.onCertificate()).
		WatchesRawSource(looks{source.Channel(w.looks, handler.TypedEnqueueRequestsFromMapFunc(func(_ context.Context, url string) []reconcile.Request {
			return []reconcile.Request{requestFor(url)}
		}))}).
		Complete(reconcile.Func(w.reconcile))
	if err != nil {
		return fmt.Errorf("adding the version watch: %w", err)
	}
	if err := mgr.Add(manager.RunnableFunc(w.beat)); err != nil {
		return fmt.Errorf("adding the version watch's Lease: %w", err)
	}
	return nil
}

// looks is the source of secrets to list at once, under a name that can be logged.
type looks struct{ source.Source }

// String returns the name.
func (looks) String() string { return "events about secrets" }

// indexed returns the URL under which a certificate is watched, none if it is not.
func indexed(object client.Object) []string {
	if secret, why := watched(object.(*v1alpha1.ObservedCertificate)); why == nil {
		return []string{secret.String()}
	}
	return nil
}

// onCertificate queues the secrets that a changed certificate observes and observed. A request for a poll is one for a list too.
func (w *Watch) onCertificate() handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(q queue, objects ...client.Object) {
		for _, object := range objects {
			for _, url := range indexed(object) {
				q.Add(requestFor(url))
			}
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { add(q, e.Object) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { add(q, e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			requested := e.ObjectNew.GetAnnotations()[v1alpha1.RequestedAtAnnotation]
			asks := requested != "" && requested != e.ObjectOld.GetAnnotations()[v1alpha1.RequestedAtAnnotation]
			if asks {
				w.markLooked(indexed(e.ObjectNew))
			}
			if asks || e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || e.ObjectOld.GetUID() != e.ObjectNew.GetUID() {
				add(q, e.ObjectOld, e.ObjectNew)
			}
		},
	}
}

func (w *Watch) markLooked(urls []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, url := range urls {
		if known, ok := w.records[url]; ok {
			known.looked = true
		}
	}
}

func requestFor(url string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: url}}
}

// reconcile lists the versions of one secret if that is due.
func (w *Watch) reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	url := request.Name
	users, err := w.users(ctx, url)
	if err != nil {
		return reconcile.Result{}, err // the runtime's backoff
	}
	if len(users) == 0 {
		w.forget(url)
		return reconcile.Result{}, nil
	}
	secret, err := keyvault.ParseURL(url)
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("reading the indexed URL: %w", err) // it was parsed before
	}
	if due := w.begin(secret, w.interval(users), w.Now()); !due.IsZero() {
		return w.again(due), nil
	}
	chosen, err := w.list(ctx, secret)
	if ctx.Err() != nil {
		return reconcile.Result{}, nil //nolint:nilerr // stopping
	}
	var deferred *keyvault.Deferred
	if errors.As(err, &deferred) {
		w.markLooked([]string{url})
		return reconcile.Result{RequeueAfter: max(deferred.After, time.Millisecond)}, nil
	}
	next, changed := w.conclude(url, chosen, err, nodesOf(users, chosen.version))
	if changed {
		w.tell(ctx, url)
		w.Changed(namesOf(users)...)
	}
	return w.again(next), nil
}

// list lists the versions and chooses one.
func (w *Watch) list(ctx context.Context, secret keyvault.SecretURL) (choice, error) {
	versions, err := w.Vaults.Versions(ctx, secret)
	w.instruments.listed(err)
	if err != nil {
		return choice{}, err
	}
	return choose(secret, versions, w.Now())
}

func (w *Watch) again(due time.Time) reconcile.Result {
	return reconcile.Result{RequeueAfter: max(due.Sub(w.Now()), time.Millisecond)}
}

// tell logs what changed.
func (w *Watch) tell(ctx context.Context, url string) {
	known, _ := w.record(url)
	log := ctrl.LoggerFrom(ctx)
	if known.failing() {
		log.Info("Cannot watch the versions, so the nodes poll", "reason", known.failure.Reason, "cause", known.failure.Message,
			"detail", known.failure.Detail, "requestID", known.failure.RequestID)
		return
	}
	log.Info("Latest version", "version", known.choice.version, "rollbackFrom", known.choice.rollbackFrom,
		"fetchDelay", known.window.delay.String(), "fetchSpread", known.window.spread.String())
}

// users returns the certificates that observe a secret.
func (w *Watch) users(ctx context.Context, url string) ([]v1alpha1.ObservedCertificate, error) {
	var list v1alpha1.ObservedCertificateList
	if err := w.List(ctx, &list, client.MatchingFields{urlIndex: url}, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing the certificates of %s: %w", url, err)
	}
	return list.Items, nil
}

// interval returns the shortest interval of the certificates.
func (w *Watch) interval(users []v1alpha1.ObservedCertificate) time.Duration {
	shortest := time.Duration(0)
	for i := range users {
		interval := w.Interval
		if own := users[i].Spec.VersionWatchIntervalInS; own > 0 {
			interval = time.Duration(own) * time.Second
		}
		if shortest == 0 || interval < shortest {
			shortest = interval
		}
	}
	return shortest
}

// nodesOf returns how many nodes have to fetch a version, each certificate on each node counted. After a change of leader, what is
// published already must not delay what is new.
func nodesOf(users []v1alpha1.ObservedCertificate, version string) int {
	nodes := 0
	for i := range users {
		status := &users[i].Status
		switch published := status.LatestVersion; {
		case status.Nodes == nil, published != nil && published.Version == version:
		case status.Version == version:
			nodes += int(status.Nodes.Matched - status.Nodes.Installed)
		default:
			nodes += int(status.Nodes.Matched)
		}
	}
	return nodes
}

func namesOf(users []v1alpha1.ObservedCertificate) []string {
	names := make([]string, 0, len(users))
	for i := range users {
		names = append(names, users[i].Name)
	}
	return names
}
