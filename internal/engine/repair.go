package engine

import (
	"context"
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// repair brings marks, rights and links of what a certificate has in the stores back to what is desired. It asks the vault for
// nothing, so it works while the vault is unreachable. If another tool keeps changing the same, it is repaired more and more
// slowly, as a certificate is that keeps disappearing. What is desired is returned with the rights of shared keys.
func (e *Engine) repair(ctx context.Context, t task, want desired, held *certstore.Entry) (desired, repairResult, error) {
	want, actions, err := e.repairActions(ctx, t, want, held)
	if err != nil || len(actions) == 0 {
		return want, repairResult{}, err
	}
	var result repairResult
	if t.before.poll.generation == t.certificate.Generation { // else the spec is what changed
		if next := t.before.repair.next(intervalOf(t.certificate), e.Now()); next.After(e.Now()) {
			return want, repairResult{again: next}, nil
		}
		result.drift = true
	}
	if result.done, err = e.perform(ctx, actions); err != nil {
		err = fmt.Errorf("repairing the certificate's properties: %w", err)
	}
	return want, result, err
}

// repairActions returns the steps of repair.
func (e *Engine) repairActions(ctx context.Context, t task, want desired, held *certstore.Entry) (desired, []certstore.Action, error) {
	seen, err := e.entries(want.Desired, nil)
	if err != nil {
		return want, nil, fmt.Errorf("looking at the stores: %w", err)
	}
	want = e.settleAccess(ctx, t, want, seen, held)
	known := t.before.place
	if held != nil && held.Thumbprint != known.thumbprint {
		held = nil // found by its mark after a restart: only the vault knows whether it is the current one
	}
	expected := want.Desired
	if held != nil && held.Mark == nil && held.OwnKey {
		if known.mark.UID == expected.Mark.UID {
			// A lost mark is written as it was: the next plan compares it with what the spec says of the key by now.
			expected.Mark = known.mark
			expected.Mark.DeletionPolicy = want.Mark.DeletionPolicy
		} else {
			held = nil // another ObservedCertificate lost its mark, or it is unknown what the mark said
		}
	}
	return want, certstore.Repair(expected, held, seen, e.Now()), nil
}

// complete reports whether everything is in the stores that belongs there together with a certificate.
func (e *Engine) complete(fetched vaultVersion) bool {
	for _, companion := range fetched.companions {
		if e.Now().After(companion.NotAfter) {
			continue // it has expired, and may be removed
		}
		if held, err := e.view().Find(companion.Ref, companion.Thumbprint); err == nil && held == nil {
			return false
		}
	}
	return true
}

// declinedLinks says why older versions are not linked to the one that is in the store, and what the machine still serves with
// them; empty where linkOnRenewal is not set or every link is there. What cannot be read is for other phases to report.
func (e *Engine) declinedLinks(want certstore.Desired, thumbprint string) string {
	if !want.Link || thumbprint == "" {
		return ""
	}
	seen, err := e.entries(want, []string{thumbprint})
	if err != nil {
		return ""
	}
	for ref, entries := range seen.Entries {
		for _, current := range entries {
			if current.Thumbprint == thumbprint && ref.Same(want.Ref) {
				return e.describeDeclined(certstore.DeclinedLinks(want, current, seen, e.Now()))
			}
		}
	}
	return ""
}

// describeDeclined names the first few.
func (e *Engine) describeDeclined(declined []certstore.DeclinedLink) string {
	if len(declined) == 0 {
		return ""
	}
	const most = 3
	bindings, _ := e.Machine.Bindings() // what cannot be read is not named
	var parts []string
	for _, one := range declined[:min(most, len(declined))] {
		part := fmt.Sprintf("version %s (%s) is not linked to the current one: %s", one.Version, one.Thumbprint, one.Reason)
		if bound := bindings[one.Thumbprint]; len(bound) > 0 {
			part += "; it still serves " + truncate.List(bound)
		}
		parts = append(parts, part+"; "+one.Remedy)
	}
	if rest := len(declined) - most; rest > 0 {
		parts = append(parts, fmt.Sprintf("%d more", rest))
	}
	return strings.Join(parts, "; ")
}
