package agent

import (
	"context"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/schedule"
	"github.com/vaultpane/vaultpane/internal/waves"
)

// Publications reads what the version watch published: a certificate's version from its status, and from a Lease which vaults the
// watch sees. It implements engine.Publications.
type Publications struct {
	// Selection reads the node's labels.
	Selection Selection
	// Leases reads the version watch's Lease from the manager's cache.
	Leases client.Reader
	// Now is the clock.
	Now func() time.Time

	process func(ctx context.Context, name string) // has a certificate processed

	mu     sync.Mutex
	vaults map[string]sight // by host and port
}

// sight is what the Lease said last of a vault. The controller's clock may differ from the node's: what has changed was said just
// now.
type sight struct {
	said time.Time // by the controller's clock
	seen time.Time // by the node's
}

// Of implements engine.Publications.
func (p *Publications) Of(certificate *v1alpha1.ObservedCertificate) engine.Publication {
	secret, err := keyvault.ParseURL(certificate.Spec.URL)
	if err != nil || secret.Version != "" {
		return engine.Publication{} // a pinned version is neither watched nor rolled out in waves
	}
	var published engine.Publication
	condition := meta.FindStatusCondition(certificate.Status.Conditions, v1alpha1.ConditionVersionWatched)
	latest := certificate.Status.LatestVersion
	if latest != nil && condition != nil && condition.ObservedGeneration == certificate.Generation { // else it may be about another URL
		published = engine.Publication{
			Version: latest.Version, RollbackFrom: latest.RollbackFrom, Wait: p.wait(secret, latest),
			Fresh: condition.Status == metav1.ConditionTrue && p.sees(secret.Authority()),
		}
		if latest.CreatedTime != nil {
			published.Created = latest.CreatedTime.Unix()
		}
	}
	published.Turn = p.turn(certificate, published)
	return published
}

// wait returns how long after the node saw a version it fetches it.
func (p *Publications) wait(secret keyvault.SecretURL, latest *v1alpha1.LatestVersion) time.Duration {
	wait := time.Duration(latest.FetchDelayInS) * time.Second
	if spread := time.Duration(latest.FetchSpreadInS) * time.Second; spread > 0 {
		wait += schedule.Offset(p.Selection.Node, secret.String(), spread)
	}
	return wait
}

// turn returns the node's place in a roll-out in waves, nil without waves.
func (p *Publications) turn(certificate *v1alpha1.ObservedCertificate, published engine.Publication) *engine.Turn {
	rollout := certificate.Spec.Rollout
	if rollout == nil {
		return nil
	}
	nodeLabels, err := p.Selection.nodeLabels(context.Background()) // from the cache
	if err != nil {
		return &engine.Turn{Remaining: waves.Remaining(rollout, 1, len(rollout.Waves)+1)}
	}
	own, _ := waves.Of(rollout, nodeLabels)
	status := certificate.Status.Rollout
	if status == nil || published.Version == "" || status.Version != published.Version {
		return &engine.Turn{Remaining: waves.Remaining(rollout, 1, own)}
	}
	return &engine.Turn{
		Come:      own <= int(status.Wave),
		Remaining: waves.Remaining(rollout, int(status.Wave), own),
	}
}

// sees reports whether the version watch sees a vault.
func (p *Publications) sees(vault string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.vaults[vault].isFresh(p.Now())
}

func (s sight) isFresh(now time.Time) bool {
	return !s.seen.IsZero() && now.Sub(s.seen) < heartbeat.WatchStaleAfter
}

// SetupWithManager adds the watch of the Lease to the manager.
func (p *Publications) SetupWithManager(mgr ctrl.Manager) error {
	plainQueue := false // for a single object
	return ctrl.NewControllerManagedBy(mgr).Named("version-watch").
		For(&coordinationv1.Lease{}).
		WithOptions(controller.Options{UsePriorityQueue: &plainQueue}).
		Complete(p)
}

// Reconcile records what the Lease says.
func (p *Publications) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	if request.Name != heartbeat.VersionWatch {
		return reconcile.Result{}, nil
	}
	var lease coordinationv1.Lease
	err := p.Leases.Get(ctx, request.NamespacedName, &lease)
	if err != nil && !apierrors.IsNotFound(err) {
		return reconcile.Result{}, err // the runtime's backoff
	}
	return reconcile.Result{}, p.processThoseOf(ctx, p.note(heartbeat.VaultsOnSchedule(&lease)))
}

// processThoseOf has the certificates of vaults processed that the version watch sees again: it may have published another version
// while the agent did not believe it.
func (p *Publications) processThoseOf(ctx context.Context, vaults map[string]bool) error {
	if len(vaults) == 0 {
		return nil
	}
	certificates, err := p.Selection.List(ctx)
	if err != nil {
		return err
	}
	for i := range certificates {
		if secret, err := keyvault.ParseURL(certificates[i].Spec.URL); err == nil && vaults[secret.Authority()] {
			p.process(ctx, certificates[i].Name)
		}
	}
	return nil
}

// note records when each vault was last on schedule, and returns those that were not fresh before.
func (p *Publications) note(said map[string]time.Time) (revived map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	revived = map[string]bool{}
	noted := make(map[string]sight, len(said))
	for vault, at := range said {
		before, known := p.vaults[vault]
		switch now := p.Now(); {
		case known && before.said.Equal(at):
			noted[vault] = before
		case !known && at.Before(now):
			noted[vault] = sight{said: at, seen: at} // after a start it may be old
		default:
			noted[vault] = sight{said: at, seen: now}
		}
		if now := p.Now(); noted[vault].isFresh(now) && !before.isFresh(now) {
			revived[vault] = true
		}
	}
	p.vaults = noted
	return revived
}

// publicationChanged lets through an update of the status that changes what an agent fetches, or whether it polls.
func publicationChanged() predicate.Predicate {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, isOne := e.ObjectOld.(*v1alpha1.ObservedCertificate)
		after, isOther := e.ObjectNew.(*v1alpha1.ObservedCertificate)
		return isOne && isOther && !equality.Semantic.DeepEqual(Published(before.Status), Published(after.Status))
	}}
}

// Published returns the part of a status that agents read. The rest is left out of their cache.
func Published(status v1alpha1.ObservedCertificateStatus) v1alpha1.ObservedCertificateStatus {
	published := v1alpha1.ObservedCertificateStatus{LatestVersion: status.LatestVersion}
	if status.Rollout != nil {
		published.Rollout = &v1alpha1.RolloutStatus{Version: status.Rollout.Version, Wave: status.Rollout.Wave}
	}
	condition := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVersionWatched)
	if condition != nil && status.LatestVersion != nil {
		published.Conditions = []metav1.Condition{{Type: condition.Type, Status: condition.Status, ObservedGeneration: condition.ObservedGeneration}}
	}
	return published
}
