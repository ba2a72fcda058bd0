package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
)

// apply plans and carries out what brings the fetched certificate into its store, and returns the entry as the store has it,
// also where a later step failed; nil where it is not in place.
func (r *Reconciler) apply(ctx context.Context, certificate *v1alpha1.ObservedCertificate, ref certstore.Ref, got *fetched) (*certstore.Entry, bool, error) {
	thumbprint := certstore.Thumbprint(got.bundle.Leaf)
	wanted := []string{thumbprint}
	for _, issuer := range got.bundle.Chain {
		wanted = append(wanted, certstore.Thumbprint(issuer))
	}
	seen, err := r.observed(ctx, ref, string(certificate.UID), wanted)
	if err != nil {
		return nil, false, fmt.Errorf("looking at the stores: %w", err)
	}
	actions, err := certstore.Plan(desiredOf(certificate, ref, got), seen, r.Now())
	if err != nil {
		return nil, false, fmt.Errorf("planning: %w", err)
	}
	failure := r.perform(ctx, actions)
	held, err := r.inventory.find(ref, thumbprint)
	switch {
	case err == nil && held != nil && held.Key == certstore.KeyPresent:
		return held, len(actions) > 0, failure
	case failure != nil:
		return nil, false, failure
	case err != nil:
		return nil, false, fmt.Errorf("reading the certificate back: %w", err)
	}
	return nil, false, &certstore.Error{Operation: "reading the certificate back", Ref: ref, Err: errors.New("it is not there, or its key cannot be opened")}
}

// desiredOf puts the spec and the fetched certificate into the store's words.
func desiredOf(certificate *v1alpha1.ObservedCertificate, ref certstore.Ref, got *fetched) certstore.Desired {
	spec := certificate.Spec
	return certstore.Desired{
		Ref: ref, Bundle: got.bundle, HistoryLimit: spec.RevisionHistoryLimit,
		FriendlyName: "Vaultpane " + certificate.Name,
		Mark: certstore.Mark{
			Name: certificate.Name, UID: string(certificate.UID), Version: got.version,
			DeletionPolicy: string(spec.DeletionPolicy), Exportable: spec.KeyExportable, Provider: string(spec.KeyStorageProvider),
		},
	}
}

// perform carries actions out in their order and stops at the first that fails: a removal never happens when what should
// come before it did not.
func (r *Reconciler) perform(ctx context.Context, actions []certstore.Action) error {
	for _, action := range actions {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var err error
		switch step := action.(type) {
		case *certstore.Install:
			err = r.install(step)
		case *certstore.Remark:
			err = r.remark(step)
		case *certstore.Remove:
			err = r.remove(step)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *Reconciler) install(step *certstore.Install) error {
	entry, err := r.Store.Install(step.Ref, step.Item)
	r.Metrics.storeOperation("install", err)
	if err != nil {
		return fmt.Errorf("installing: %w", err)
	}
	r.inventory.put(step.Ref, entry.Thumbprint, entry)
	return nil
}

func (r *Reconciler) remark(step *certstore.Remark) error {
	err := r.Store.Remark(step.Ref, step.Thumbprint, step.Mark)
	r.Metrics.storeOperation("remark", err)
	if err != nil {
		return fmt.Errorf("renewing the mark: %w", err)
	}
	return r.reread(step.Ref, step.Thumbprint)
}

// remove takes a certificate out, after it has seen with its own eyes that the successor is in place.
func (r *Reconciler) remove(step *certstore.Remove) error {
	if step.Successor != "" {
		successor, err := r.Store.Find(step.SuccessorRef, step.Successor)
		if err != nil {
			return fmt.Errorf("looking at the successor: %w", err)
		}
		if !inService(successor, r.Now()) {
			return &certstore.Error{Operation: "removing certificate " + step.Thumbprint, Ref: step.Ref, Err: errors.New("its successor is not in place with its key, so it stays")}
		}
	}
	if err := r.reread(step.Ref, step.Thumbprint); err != nil {
		return err
	}
	if held, err := r.inventory.find(step.Ref, step.Thumbprint); err != nil || held == nil || held.Mark == nil {
		return err // gone, or somebody else's since the last check: it is not ours to remove
	}
	err := r.Store.Remove(step.Ref, step.Thumbprint)
	r.Metrics.storeOperation("remove", err)
	if err != nil {
		return fmt.Errorf("removing: %w", err)
	}
	r.inventory.put(step.Ref, step.Thumbprint, nil)
	return nil
}

func inService(entry *certstore.Entry, now time.Time) bool {
	return entry != nil && entry.Key == certstore.KeyPresent &&
		!now.Before(entry.Certificate.NotBefore) && !now.After(entry.Certificate.NotAfter)
}

// reread takes one certificate of a store into the inventory as it is now.
func (r *Reconciler) reread(ref certstore.Ref, thumbprint string) error {
	entry, err := r.Store.Find(ref, thumbprint)
	if err != nil {
		return fmt.Errorf("reading a certificate back: %w", err)
	}
	r.inventory.put(ref, thumbprint, entry)
	return nil
}
