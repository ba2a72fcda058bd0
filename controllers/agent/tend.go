package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// tend brings marks, rights and links of what a certificate has in the stores back to what is wanted. It asks the vault for
// nothing, so it works while the vault is away. Someone else who keeps changing the same is met more and more slowly, like
// one who keeps deleting the certificate.
func (r *Reconciler) tend(ctx context.Context, certificate *v1alpha1.ObservedCertificate, w *wanted, held *certstore.Entry, out *outcome) error {
	actions, err := r.untended(ctx, certificate, w, held, out.remembered)
	if err != nil || len(actions) == 0 {
		return err
	}
	if out.remembered.generation == certificate.Generation { // else the spec is what changed
		if next := nextRepair(out.remembered, intervalOf(certificate), r.Now()); next.After(r.Now()) {
			out.again = next
			return nil
		}
		out.repaired = true
	}
	done, err := r.perform(ctx, actions)
	out.done.add(done)
	if err != nil {
		return fmt.Errorf("setting the certificate's properties right: %w", err)
	}
	return nil
}

// untended returns what there is to do for tend.
func (r *Reconciler) untended(ctx context.Context, certificate *v1alpha1.ObservedCertificate, w *wanted, held *certstore.Entry, remembered record) ([]certstore.Action, error) {
	seen, err := r.entries(w.Desired, nil)
	if err != nil {
		return nil, fmt.Errorf("looking at the stores: %w", err)
	}
	r.settleAccess(ctx, certificate, w, seen, held)
	if held != nil && held.Thumbprint != remembered.thumbprint {
		held = nil // found by its mark after a restart: whether it is the current one is for the vault to say
	}
	desired := w.Desired
	if held != nil && held.Mark == nil && held.OwnKey {
		if remembered.mark.UID == desired.Mark.UID {
			// A lost mark is written as it was: what the spec says of the key by now is for the next plan, which compares.
			desired.Mark = remembered.mark
			desired.Mark.DeletionPolicy = w.Mark.DeletionPolicy
		} else {
			held = nil // it is another's mark that was lost, or nobody knows what it said
		}
	}
	return certstore.Repair(desired, held, seen, r.Now()), nil
}

// complete tells whether everything is there that came along with a certificate.
func (r *Reconciler) complete(remembered record) bool {
	for _, companion := range remembered.companions {
		if r.Now().After(companion.NotAfter) {
			continue // of no use any more: who removed it was right
		}
		if held, err := r.inventory.find(companion.Ref, companion.Thumbprint); err == nil && held == nil {
			return false
		}
	}
	return true
}

// add joins what two plans did.
func (p *performed) add(other performed) {
	p.changed = p.changed || other.changed
	p.kept = append(p.kept, other.kept...)
}

// soonerOf returns the earlier of two times, of which zero means never.
func soonerOf(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
