package versionwatch

import (
	"context"
	"fmt"
	"maps"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
)

// beatCheck is the time between two checks whether the Lease has to be renewed before its period is over.
const beatCheck = 5 * time.Second

// beat renews the version watch's Lease until the context ends: every period, and sooner when a vault is on schedule again, since
// the agents poll it until then.
func (w *Watch) beat(ctx context.Context) error {
	ctx = ctrl.LoggerInto(ctx, ctrl.Log.WithName("version-watch"))
	if err := w.recall(ctx); err != nil && ctx.Err() == nil {
		ctrl.LoggerFrom(ctx).Info("Cannot read the version watch's Lease, so the nodes poll until all secrets are listed", "cause", err.Error())
	}
	ticker := time.NewTicker(beatCheck)
	defer ticker.Stop()
	var renewed time.Time
	var told map[string]time.Time
	for ctx.Err() == nil {
		now := w.Now()
		onSchedule, err := w.onSchedule(ctx, now)
		if err == nil && (now.Sub(renewed) >= heartbeat.WatchPeriod || revived(told, onSchedule, now)) {
			if err = w.renew(ctx, onSchedule, now); err == nil {
				renewed, told = now, onSchedule
			}
		}
		if err != nil && ctx.Err() == nil {
			ctrl.LoggerFrom(ctx).Info("Cannot renew the version watch's Lease, retrying", "cause", err.Error())
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
	}
	return nil
}

// recall reads what the leader before said, which holds until it is too old: another leader is no reason to poll.
func (w *Watch) recall(ctx context.Context) error {
	lease := &coordinationv1.Lease{}
	if err := w.Get(ctx, types.NamespacedName{Namespace: w.Namespace, Name: heartbeat.VersionWatch}, lease); err != nil {
		return client.IgnoreNotFound(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.Copy(w.vaults, heartbeat.VaultsOnSchedule(lease))
	return nil
}

// revived reports whether a vault is on schedule that agents take to be stale, or soon will.
func revived(told, onSchedule map[string]time.Time, now time.Time) bool {
	for vault, at := range onSchedule {
		if at.Equal(now) && now.Sub(told[vault]) > 2*heartbeat.WatchPeriod {
			return true
		}
	}
	return false
}

// onSchedule returns when each vault was last on schedule. A vault is, when each of its certificates whose condition says that it is
// watched was listed in time and has its latest version in its status. So if one list, or one write, no longer happens, agents poll
// that vault.
func (w *Watch) onSchedule(ctx context.Context, now time.Time) (map[string]time.Time, error) {
	var list v1alpha1.ObservedCertificateList
	if err := w.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("listing certificates: %w", err)
	}
	well := map[string]bool{}
	for i := range list.Items {
		certificate := &list.Items[i]
		secret, why := watched(certificate)
		if why != nil || !meta.IsStatusConditionTrue(certificate.Status.Conditions, v1alpha1.ConditionVersionWatched) {
			continue // agents poll it anyway
		}
		vault := secret.Authority()
		before, seen := well[vault]
		well[vault] = (before || !seen) && w.upToDate(certificate, secret.String(), now)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	maps.DeleteFunc(w.vaults, func(vault string, _ time.Time) bool { _, watched := well[vault]; return !watched })
	for vault, ok := range well {
		if ok {
			w.vaults[vault] = now
		}
	}
	return maps.Clone(w.vaults), nil
}

// upToDate reports whether a certificate's secret is listed on schedule, and its status has the result.
func (w *Watch) upToDate(certificate *v1alpha1.ObservedCertificate, url string, now time.Time) bool {
	known, ok := w.record(url)
	published := certificate.Status.LatestVersion
	return ok && known.onSchedule(now) && published != nil && published.Version == known.choice.version
}

// renew writes the Lease.
func (w *Watch) renew(ctx context.Context, onSchedule map[string]time.Time, now time.Time) error {
	lease := &coordinationv1.Lease{}
	err := w.Get(ctx, types.NamespacedName{Namespace: w.Namespace, Name: heartbeat.VersionWatch}, lease)
	create := apierrors.IsNotFound(err)
	if err != nil && !create {
		return fmt.Errorf("reading Lease %s: %w", heartbeat.VersionWatch, err)
	}
	lease = lease.DeepCopy() // the cache's own
	lease.Namespace, lease.Name = w.Namespace, heartbeat.VersionWatch
	renewed, seconds := metav1.NewMicroTime(now), int32(heartbeat.WatchStaleAfter/time.Second)
	lease.Spec.RenewTime, lease.Spec.LeaseDurationSeconds = &renewed, &seconds
	heartbeat.AnnotateVaults(lease, onSchedule)
	if create {
		err = w.Create(ctx, lease)
	} else {
		err = w.Update(ctx, lease)
	}
	if err != nil {
		return fmt.Errorf("writing Lease %s: %w", heartbeat.VersionWatch, err)
	}
	return nil
}
