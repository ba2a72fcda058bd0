package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// apply plans and performs what brings the fetched certificate into its store. It returns what is desired with the rights of
// shared keys, and the entry as the store has it, also where a later step failed; nil where it is not in place.
func (e *Engine) apply(ctx context.Context, t task, want desired) (settled desired, held *certstore.Entry, done performed, err error) {
	seen, err := e.surroundings(ctx, want.Desired)
	if err != nil {
		return want, nil, done, fmt.Errorf("looking at the stores: %w", err)
	}
	want = e.settleAccess(ctx, t, want, seen, &certstore.Entry{Thumbprint: certstore.Thumbprint(want.Current())})
	actions, err := certstore.Plan(want.Desired, seen, e.Now())
	if err != nil {
		return want, nil, done, fmt.Errorf("planning: %w", err)
	}
	if e.incomplete() {
		actions = slices.DeleteFunc(actions, func(action certstore.Action) bool {
			_, removes := action.(*certstore.Remove)
			return removes // with the next poll after all certificates are known
		})
	}
	done, failure := e.perform(ctx, e.keepForRunning(t, certstore.Thumbprint(want.Current()), actions))
	held, err = e.view().Find(want.Ref, certstore.Thumbprint(want.Current()))
	switch {
	case err == nil && usableIn(want.Ref, held):
		return want, held, done, failure
	case failure != nil:
		return want, nil, done, failure
	case err != nil:
		return want, nil, done, fmt.Errorf("reading the certificate back: %w", err)
	}
	return want, nil, done, &certstore.Error{Operation: "reading the certificate back", Ref: want.Ref, Err: errors.New("the store does not contain it, or its key cannot be opened")}
}

// perform carries actions out in their order and stops at the first that fails: a removal never happens when what should
// come before it did not.
func (e *Engine) perform(ctx context.Context, actions []certstore.Action) (done performed, err error) {
	for _, action := range actions {
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if step, isKept := action.(*certstore.Keep); isKept {
			done.kept = append(done.kept, fmt.Sprintf("%s for %v", step.Thumbprint, step.Bound))
			continue
		}
		if err := e.step(ctx, action); err != nil {
			return done, err
		}
		done.changed = true
	}
	return done, nil
}

func (e *Engine) step(ctx context.Context, action certstore.Action) error {
	switch step := action.(type) {
	case *certstore.Install:
		entry, err := e.Store.Install(step.Ref, step.Item)
		return e.count("install", step.Ref, entry, err)
	case *certstore.Update:
		entry, err := e.Store.Update(step.Ref, step.Thumbprint, step.Change)
		return e.count("update", step.Ref, entry, err)
	case *certstore.Link:
		return e.link(ctx, step)
	case *certstore.Remove:
		return e.remove(ctx, step)
	}
	return fmt.Errorf("unknown step %T", action)
}

// count counts an operation of the store, and keeps what it read back.
func (e *Engine) count(operation string, ref certstore.Ref, entry *certstore.Entry, err error) error {
	e.Metrics.storeOperation(operation, err)
	if err != nil {
		return err
	}
	e.view().Put(ref, entry.Thumbprint, entry)
	return nil
}

// link links a certificate to its successor, after it has read from the store that the successor is in place. The machine is
// notified first, so that an agent that is killed in between notifies it again. A failed notification does not prevent the link.
func (e *Engine) link(ctx context.Context, step *certstore.Link) error {
	if step.Successor != "" {
		if err := e.requireInPlace(step.Ref, step.Successor, step.Ref, "linking certificate "+step.Thumbprint); err != nil {
			return err
		}
		if err := e.Machine.Announce(ctx, step.Ref, step.Thumbprint, step.Successor); err != nil {
			logr.FromContextOrDiscard(ctx).Info("Cannot announce a replaced certificate to the machine", "thumbprint", step.Thumbprint, "successor", step.Successor, "cause", err.Error())
		}
	}
	entry, err := e.Store.Update(step.Ref, step.Thumbprint, certstore.Change{Successor: &step.Successor})
	return e.count("link", step.Ref, entry, err)
}

// remove removes a certificate, after it has read from the store that the successor is in place, and that it is still the one
// to be removed: it may have disappeared, or changed its owner, since the store was last read.
func (e *Engine) remove(ctx context.Context, step *certstore.Remove) error {
	if step.Successor != "" {
		if err := e.requireInPlace(step.SuccessorRef, step.Successor, step.Ref, "removing certificate "+step.Thumbprint); err != nil {
			return err
		}
	}
	held, err := e.reread(step.Ref, step.Thumbprint)
	if err != nil || held == nil || held.Mark == nil || held.Mark.UID != step.UID {
		return err
	}
	err = e.Store.Remove(step.Ref, step.Thumbprint)
	e.Metrics.storeOperation("remove", err)
	if err != nil {
		return err
	}
	e.view().Put(step.Ref, step.Thumbprint, nil)
	logr.FromContextOrDiscard(ctx).Info("Removed the certificate", "store", step.Ref.String(), "thumbprint", step.Thumbprint,
		"owner", held.Mark.Name, "role", held.Mark.Role, "successor", step.Successor)
	return nil
}

// requireInPlace reads a successor from the store itself and fails unless it is in place and valid.
func (e *Engine) requireInPlace(successorRef certstore.Ref, successor string, ref certstore.Ref, operation string) error {
	held, err := e.Store.Find(successorRef, successor)
	if err != nil {
		return fmt.Errorf("looking at the successor: %w", err)
	}
	if !usableIn(successorRef, held) || !held.ValidAt(e.Now()) {
		return &certstore.Error{Operation: operation, Ref: ref, Err: fmt.Errorf("its successor %s is not in place and valid, so it stays as it is", successor)}
	}
	return nil
}

// reread reads one certificate of a store again, updates the inventory, and returns it; nil if it is not there.
func (e *Engine) reread(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	entry, err := e.Store.Find(ref, thumbprint)
	if err != nil {
		return nil, fmt.Errorf("reading a certificate again: %w", err)
	}
	e.view().Put(ref, thumbprint, entry)
	return entry, nil
}
