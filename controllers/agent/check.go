package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// searchInterval is the time between two searches of all the machine's stores for marks. In between, the stores in use are
// enough.
const searchInterval = time.Hour

// storeCheck looks at the store every now and then, and soon after the machine tells of a change: what is not as wanted is
// queued for repair, and what no ObservedCertificate wants any more follows its deletion policy. It asks Key Vault for
// nothing.
type storeCheck struct{ *Reconciler }

// Start runs until the context ends.
func (s *storeCheck) Start(ctx context.Context) error {
	ctx = ctrl.LoggerInto(ctx, ctrl.LoggerFrom(ctx).WithName("store-check"))
	if err := s.removeOrphanedKeys(ctx); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot remove private keys that were left over")
	}
	watchers := newWatchers()
	var searched time.Time
	told := ""
	for {
		if s.Now().Sub(searched) >= searchInterval {
			if err := s.search(); err != nil {
				ctrl.LoggerFrom(ctx).Error(err, "Cannot search the stores for marks")
			} else {
				searched = s.Now()
			}
		}
		watchers.follow(ctx, s.Machine, s.inventory.refs())
		if !watchers.next(ctx, s.StoreCheckInterval) {
			return nil
		}
		err := s.check(ctx)
		if err != nil && err.Error() != told {
			ctrl.LoggerFrom(ctx).Error(err, "Cannot check the store; trying again at each check")
		}
		told = textOf(err)
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// search reads every store of the machine, so that marks in stores that no spec names any more are known too. A store that
// cannot be read does not keep it from the others.
func (r *Reconciler) search() error {
	var failed []error
	marked := func(entry certstore.Entry) bool { return entry.Mark != nil }
	for _, location := range locations {
		refs, err := r.Store.Stores(location)
		if err != nil {
			failed = append(failed, fmt.Errorf("listing the stores of %s: %w", location, err))
		}
		for _, ref := range refs {
			if err := r.inventory.search(ref, marked); err != nil {
				failed = append(failed, fmt.Errorf("searching %s: %w", ref, err))
			}
		}
	}
	return errors.Join(failed...)
}

// check reads the stores in use, queues what has drifted, and sweeps. A store that cannot be read holds up no other.
func (r *Reconciler) check(ctx context.Context) error {
	var failed []error
	for _, ref := range r.inventory.refs() {
		if err := r.inventory.refresh(ref); err != nil {
			failed = append(failed, fmt.Errorf("reading %s: %w", ref, err))
		}
	}
	certificates, err := r.selectedCertificates(ctx)
	failed = append(failed, err)
	for i := range certificates {
		if !r.drifted(ctx, &certificates[i]) {
			continue
		}
		select {
		case r.recheck <- event.TypedGenericEvent[string]{Object: certificates[i].Name}:
		case <-ctx.Done():
			return nil
		}
	}
	return errors.Join(append(failed, r.sweep(ctx), r.removeOrphanedKeys(ctx))...)
}

// removeOrphanedKeys removes the private keys that no certificate refers to: what an agent that was killed left behind.
func (r *Reconciler) removeOrphanedKeys(ctx context.Context) error {
	var failed []error
	for _, location := range locations {
		removed, err := r.Store.RemoveOrphanedKeys(location)
		failed = append(failed, err)
		if removed > 0 {
			ctrl.LoggerFrom(ctx).Info("Removed private keys and files that a stopped agent had left over", "location", location, "removed", removed)
		}
		if removed > 0 || err != nil {
			r.Metrics.storeOperation("remove-orphaned-key", err)
		}
	}
	return errors.Join(failed...)
}

// locations are the store locations.
var locations = []certstore.Location{certstore.LocalMachine, certstore.CurrentUser}

// drifted tells whether the store lacks something of a certificate that it had, or has it otherwise than wanted. What cannot
// be found out is for the certificate's own attempts to report.
func (r *Reconciler) drifted(ctx context.Context, certificate *v1alpha1.ObservedCertificate) bool {
	remembered, known := r.records.get(certificate.Name)
	if !known || remembered.thumbprint == "" || certificate.Spec.Suspend {
		return false
	}
	held, err := r.inventory.find(remembered.ref, remembered.thumbprint)
	if err != nil {
		return false
	}
	if !usableIn(remembered.ref, held) || !r.complete(remembered) {
		return true
	}
	w, err := r.want(certificate, remembered.ref)
	if err != nil {
		return false
	}
	actions, err := r.untended(ctx, certificate, w, held, remembered)
	return err == nil && len(actions) > 0
}
