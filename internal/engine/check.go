package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/inventory"
)

// searchInterval is the time between two searches of all the machine's stores for marks. In between, the stores in use are
// enough.
const searchInterval = time.Hour

// CheckStores calls Check at each interval, and soon after the machine reports a change: it passes the
// names of drifted certificates to repair, and follows the deletion policy of what no ObservedCertificate needs any more. It
// makes no request to Key Vault, and runs until the context ends. repair returns when the certificate is queued.
func (e *Engine) CheckStores(ctx context.Context, interval time.Duration, repair func(name string)) {
	log := logr.FromContextOrDiscard(ctx)
	if err := e.removeOrphanedKeys(ctx); err != nil {
		log.Error(err, "Cannot remove orphaned private keys")
	}
	if err := e.resumePrograms(ctx); err != nil {
		log.Error(err, "Cannot start a service that was stopped for its restart; trying again at each check")
	}
	watcher := inventory.NewWatcher()
	var searched time.Time
	logged := ""
	for {
		if e.Now().Sub(searched) >= searchInterval {
			if err := e.search(); err != nil {
				log.Error(err, "Cannot search the stores for marks")
			} else {
				searched = e.Now()
			}
		}
		watcher.Follow(ctx, e.Machine, e.view().Refs())
		if !watcher.Wait(ctx, interval) {
			return
		}
		err := e.Check(ctx, repair)
		if err != nil && err.Error() != logged {
			log.Error(err, "Cannot check the store; trying again at each check")
		}
		logged = textOf(err)
	}
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// search reads every store of the machine, so that marks in stores that no spec names any more are known too. It continues after a
// store that cannot be read.
func (e *Engine) search() error {
	var failed []error
	marked := func(entry certstore.Entry) bool { return entry.Mark != nil }
	for _, location := range locations {
		refs, err := e.Store.Stores(location)
		if err != nil {
			failed = append(failed, fmt.Errorf("listing the stores of %s: %w", location, err))
		}
		for _, ref := range refs {
			if err := e.view().Search(ref, marked); err != nil {
				failed = append(failed, fmt.Errorf("searching %s: %w", ref, err))
			}
		}
	}
	return errors.Join(failed...)
}

// Check checks the stores once: it reads those in use, gives what has drifted to repair, and sweeps. It continues after a store
// that cannot be read.
func (e *Engine) Check(ctx context.Context, repair func(name string)) error {
	var failed []error
	for _, ref := range e.view().Refs() {
		if err := e.view().Refresh(ref); err != nil {
			failed = append(failed, fmt.Errorf("reading %s: %w", ref, err))
		}
	}
	certificates, err := e.Certificates.List(ctx)
	failed = append(failed, err)
	for i := range certificates {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopping: what was cut off says nothing about the store
		}
		if e.drifted(ctx, &certificates[i]) {
			repair(certificates[i].Name)
		}
	}
	return errors.Join(append(failed, e.sweep(ctx), e.removeOrphanedKeys(ctx), e.resumePrograms(ctx))...)
}

// removeOrphanedKeys removes the private keys that no certificate refers to: what an agent that was killed left behind.
func (e *Engine) removeOrphanedKeys(ctx context.Context) error {
	var failed []error
	for _, location := range locations {
		removed, err := e.Store.RemoveOrphanedKeys(location)
		failed = append(failed, err)
		if removed > 0 {
			logr.FromContextOrDiscard(ctx).Info("Removed orphaned private keys and unfinished files of a stopped agent", "location", location, "removed", removed)
		}
		if removed > 0 || err != nil {
			e.Metrics.storeOperation("remove-orphaned-key", err)
		}
	}
	return errors.Join(failed...)
}

// locations are the store locations.
var locations = []certstore.Location{certstore.LocalMachine, certstore.CurrentUser}

// drifted reports whether a certificate that was installed is missing in the store or differs from the desired state. The
// certificate's own attempts report what cannot be read.
func (e *Engine) drifted(ctx context.Context, certificate *v1alpha1.ObservedCertificate) bool {
	known, ok := e.memory.get(certificate.Name)
	if !ok || known.place.thumbprint == "" || certificate.Spec.Suspend {
		return false
	}
	held, err := e.view().Find(known.place.ref, known.place.thumbprint)
	if err != nil {
		return false
	}
	if !usableIn(known.place.ref, held) || !e.complete(known.poll.fetched) {
		return true
	}
	t := task{certificate: certificate, before: known, ref: known.place.ref}
	want, err := e.desired(t)
	if err != nil {
		return false
	}
	_, actions, err := e.repairActions(ctx, t, want, held)
	return err == nil && len(actions) > 0 || e.usesDiffer(t, held)
}
