package agent

import (
	"context"
	"errors"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// apply plans and carries out what brings the fetched certificate into its store, and returns the entry as the store has it,
// also where a later step failed; nil where it is not in place.
func (r *Reconciler) apply(ctx context.Context, certificate *v1alpha1.ObservedCertificate, w *wanted) (held *certstore.Entry, done performed, err error) {
	seen, err := r.observed(ctx, w.Desired)
	if err != nil {
		return nil, done, fmt.Errorf("looking at the stores: %w", err)
	}
	r.settleAccess(ctx, certificate, w, seen, &certstore.Entry{Thumbprint: certstore.Thumbprint(w.Current())})
	actions, err := certstore.Plan(w.Desired, seen, r.Now())
	if err != nil {
		return nil, done, fmt.Errorf("planning: %w", err)
	}
	done, failure := r.perform(ctx, actions)
	held, err = r.inventory.find(w.Ref, certstore.Thumbprint(w.Current()))
	switch {
	case err == nil && usableIn(w.Ref, held):
		return held, done, failure
	case failure != nil:
		return nil, done, failure
	case err != nil:
		return nil, done, fmt.Errorf("reading the certificate back: %w", err)
	}
	return nil, done, &certstore.Error{Operation: "reading the certificate back", Ref: w.Ref, Err: errors.New("it is not there, or its key cannot be opened")}
}

// performed is what came of a plan.
type performed struct {
	changed bool     // the store was changed
	kept    []string // what would have been removed, and what is served with it
}

// perform carries actions out in their order and stops at the first that fails: a removal never happens when what should
// come before it did not.
func (r *Reconciler) perform(ctx context.Context, actions []certstore.Action) (done performed, err error) {
	for _, action := range actions {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if step, isKept := action.(*certstore.Keep); isKept {
			done.kept = append(done.kept, fmt.Sprintf("%s for %v", step.Thumbprint, step.Bound))
			continue
		}
		if err := r.step(ctx, action); err != nil {
			return done, err
		}
		done.changed = true
	}
	return done, nil
}

func (r *Reconciler) step(ctx context.Context, action certstore.Action) error {
	switch step := action.(type) {
	case *certstore.Install:
		entry, err := r.Store.Install(step.Ref, step.Item)
		return r.count("install", step.Ref, entry, err)
	case *certstore.Update:
		entry, err := r.Store.Update(step.Ref, step.Thumbprint, step.Change)
		return r.count("update", step.Ref, entry, err)
	case *certstore.Link:
		return r.link(ctx, step)
	case *certstore.Remove:
		return r.remove(step)
	}
	return fmt.Errorf("unknown step %T", action)
}

// count counts an operation of the store, and keeps what it read back.
func (r *Reconciler) count(operation string, ref certstore.Ref, entry *certstore.Entry, err error) error {
	r.Metrics.storeOperation(operation, err)
	if err != nil {
		return err
	}
	r.inventory.put(ref, entry.Thumbprint, entry)
	return nil
}

// link links a certificate to its successor, which it has seen in place. The machine is told before: an agent that is killed
// in between tells again, and nobody misses it. That it cannot be told is no reason not to link.
func (r *Reconciler) link(ctx context.Context, step *certstore.Link) error {
	if step.Successor != "" {
		if err := r.requireInService(step.Ref, step.Successor, step.Ref, "linking certificate "+step.Thumbprint); err != nil {
			return err
		}
		if err := r.Machine.Announce(ctx, step.Ref, step.Thumbprint, step.Successor); err != nil {
			ctrl.LoggerFrom(ctx).Info("Cannot tell the machine of a replaced certificate", "thumbprint", step.Thumbprint, "successor", step.Successor, "cause", err.Error())
		}
	}
	entry, err := r.Store.Update(step.Ref, step.Thumbprint, certstore.Change{Successor: &step.Successor})
	return r.count("link", step.Ref, entry, err)
}

// remove takes a certificate out, after it has seen with its own eyes that the successor is in place, and that it is still
// the one to be removed: it may have gone, or become another's, since the store was last read.
func (r *Reconciler) remove(step *certstore.Remove) error {
	if step.Successor != "" {
		if err := r.requireInService(step.SuccessorRef, step.Successor, step.Ref, "removing certificate "+step.Thumbprint); err != nil {
			return err
		}
	}
	held, err := r.reread(step.Ref, step.Thumbprint)
	if err != nil || held == nil || held.Mark == nil || held.Mark.UID != step.UID {
		return err
	}
	err = r.Store.Remove(step.Ref, step.Thumbprint)
	r.Metrics.storeOperation("remove", err)
	if err != nil {
		return err
	}
	r.inventory.put(step.Ref, step.Thumbprint, nil)
	return nil
}

// requireInService reads a successor from the store itself and fails unless it is in place.
func (r *Reconciler) requireInService(successorRef certstore.Ref, successor string, ref certstore.Ref, operation string) error {
	held, err := r.Store.Find(successorRef, successor)
	if err != nil {
		return fmt.Errorf("looking at the successor: %w", err)
	}
	if !usableIn(successorRef, held) || !held.ValidAt(r.Now()) {
		return &certstore.Error{Operation: operation, Ref: ref, Err: fmt.Errorf("its successor %s is not in place and valid, so it stays as it is", successor)}
	}
	return nil
}

// usableIn tells whether a certificate is in a store as what the store is for: with its key, or in one that holds trust.
func usableIn(ref certstore.Ref, entry *certstore.Entry) bool {
	return entry != nil && (entry.Key == certstore.KeyPresent || certstore.HoldsTrust(ref))
}

// reread takes one certificate of a store into the inventory as it is now, and returns it; nil if it is not there.
func (r *Reconciler) reread(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	entry, err := r.Store.Find(ref, thumbprint)
	if err != nil {
		return nil, fmt.Errorf("reading a certificate again: %w", err)
	}
	r.inventory.put(ref, thumbprint, entry)
	return entry, nil
}
