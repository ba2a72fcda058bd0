package agent

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// unneeded returns the removal of intermediates that nothing needs, and did not need at the sweep before: one that was
// installed a moment ago comes before the leaf that needs it. What needs one may be anybody's and in any store.
func (r *Reconciler) unneeded(kept map[string]bool) ([]certstore.Action, error) {
	found := r.removals(kept)
	again := map[certstore.Remove]bool{}
	for step := range found {
		if r.unneededBefore[step] {
			again[step] = true
		}
	}
	r.unneededBefore = found
	if len(again) == 0 {
		return nil, nil
	}
	for step := range again {
		if err := r.searchIssued(step.Ref, step.Thumbprint); err != nil {
			return nil, err
		}
	}
	var actions []certstore.Action
	for _, action := range certstore.PlanUnneeded(certstore.Observed{Entries: r.inventory.all()}, kept, r.Now()) {
		if step, ok := action.(*certstore.Remove); ok && again[*step] {
			actions = append(actions, step)
		}
	}
	return actions, nil
}

// removals returns what is unneeded as far as the stores in use tell.
func (r *Reconciler) removals(kept map[string]bool) map[certstore.Remove]bool {
	found := map[certstore.Remove]bool{}
	for _, action := range certstore.PlanUnneeded(certstore.Observed{Entries: r.inventory.all()}, kept, r.Now()) {
		if step, ok := action.(*certstore.Remove); ok {
			found[*step] = true
		}
	}
	return found
}

// searchIssued reads all stores of a location and takes those into use that hold what an intermediate has issued: from then
// on they are read at every check. A store that cannot be read may hold such a thing.
func (r *Reconciler) searchIssued(ref certstore.Ref, thumbprint string) error {
	issuer, err := r.inventory.find(ref, thumbprint)
	if err != nil || issuer == nil {
		return err
	}
	issued := func(entry certstore.Entry) bool {
		return bytes.Equal(entry.Certificate.RawIssuer, issuer.Certificate.RawSubject)
	}
	var refs []certstore.Ref
	for _, location := range certstore.NeededFrom(ref.Location) {
		there, err := r.Store.Stores(location)
		if err != nil {
			return fmt.Errorf("listing the stores of %s: %w", location, err)
		}
		refs = append(refs, there...)
	}
	var failed []error
	for _, one := range refs {
		if err := r.inventory.search(one, issued); err != nil {
			failed = append(failed, fmt.Errorf("searching %s: %w", one, err))
		}
	}
	return errors.Join(failed...)
}
