package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// sweep drops reports of certificates that no longer exist, follows the deletion policy of what no ObservedCertificate needs any
// more, and removes intermediates that no certificate needs. It removes nothing until every certificate has been processed once:
// before that it is unknown which are shared. Nor does it while the ObservedCertificates are not completely known.
func (e *Engine) sweep(ctx context.Context) error {
	e.sweepMu.Lock()
	defer e.sweepMu.Unlock()
	if e.incomplete() {
		return nil
	}
	reported := e.Reports.Names() // before the list: what is created in between must not be dropped
	all, err := e.claims(ctx)
	if err != nil {
		return err
	}
	e.dropReports(reported, all.certificates)
	if !all.complete {
		return nil
	}
	kept, suspended := map[string]bool{}, map[string]bool{}
	for _, certificate := range all.certificates {
		kept[string(certificate.UID)] = true
		suspended[string(certificate.UID)] = certificate.Spec.Suspend
	}
	actions := certstore.PlanOrphans(certstore.Observed{Entries: e.view().Marked()}, kept, all.claims)
	unneeded, err := e.unneeded(kept)
	actions = append(actions, unneeded...)
	failed := []error{err}
	for _, action := range actions {
		if step, ok := action.(*certstore.Remove); ok && suspended[step.UID] {
			continue // nothing is changed for it
		}
		_, err := e.perform(ctx, []certstore.Action{action}) // each on its own, so that one failure does not stop the others
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// claimed is what the ObservedCertificates that target this machine have, should have or wait for.
type claimed struct {
	certificates []v1alpha1.ObservedCertificate
	claims       certstore.Claims
	complete     bool // all of them were processed since the start
}

func (e *Engine) claims(ctx context.Context) (claimed, error) {
	certificates, err := e.Certificates.List(ctx)
	all := claimed{certificates: certificates, complete: true}
	for i := range certificates {
		if _, err := certificates[i].Spec.NodeSelector.AsSelector(); err != nil {
			continue // never processed, and kept
		}
		known, ok := e.memory.get(certificates[i].Name)
		if !ok || !known.isProcessed() {
			all.complete = false
			continue
		}
		claim(&all.claims, &certificates[i], known)
	}
	return all, err
}

// claim claims what a certificate has, and what it should have: after a conflict these differ, and the certificate that lost
// becomes the owner when the one that won is deleted. Before the first success it is unknown what that is.
func claim(claims *certstore.Claims, certificate *v1alpha1.ObservedCertificate, known record) {
	place, fetched := known.place, known.poll.fetched
	if place.thumbprint == "" && fetched.thumbprint == "" && !known.poll.terminal {
		claims.Await(place.ref, place.source)
	}
	for thumbprint, version := range map[string]string{fetched.thumbprint: fetched.version, place.thumbprint: place.version} {
		if thumbprint != "" {
			claims.Add(place.ref, thumbprint, certstore.Mark{
				Name: certificate.Name, UID: string(certificate.UID), Source: place.source, Version: version,
				DeletionPolicy: string(certificate.Spec.DeletionPolicy),
			})
		}
	}
}

// dropReports drops what is reported of certificates that no longer target this machine: they may have been deleted while the agent
// did not run, and then no event says so.
func (e *Engine) dropReports(reported []string, certificates []v1alpha1.ObservedCertificate) {
	targeting := make(map[string]bool, len(certificates))
	for _, certificate := range certificates {
		targeting[certificate.Name] = true
	}
	for _, name := range reported {
		if !targeting[name] {
			e.Reports.Drop(name)
		}
	}
}

// unneeded returns the removal of intermediates that no certificate needs, and none needed at the previous sweep: an intermediate
// is installed before the leaf that needs it. Certificates of any owner in any store count.
func (e *Engine) unneeded(kept map[string]bool) ([]certstore.Action, error) {
	found := map[certstore.Remove]bool{}
	for _, step := range e.unneededNow(kept) {
		found[step] = true
	}
	before := e.unneededBefore
	e.unneededBefore = found
	searched := false
	for step := range found {
		if before[step] {
			searched = true
			if err := e.searchIssued(step.Ref, step.Thumbprint); err != nil {
				return nil, err
			}
		}
	}
	if !searched {
		return nil, nil
	}
	var actions []certstore.Action
	for _, step := range e.unneededNow(kept) {
		if found[step] && before[step] {
			actions = append(actions, &step)
		}
	}
	return actions, nil
}

// unneededNow returns the removals of intermediates that no certificate in the stores in use needs.
func (e *Engine) unneededNow(kept map[string]bool) []certstore.Remove {
	var found []certstore.Remove
	for _, action := range certstore.PlanUnneeded(certstore.Observed{Entries: e.view().All()}, kept, e.Now()) {
		if step, ok := action.(*certstore.Remove); ok {
			found = append(found, *step)
		}
	}
	return found
}

// searchIssued searches all stores of a location for certificates that an intermediate has issued, and takes the stores that hold
// one into use: from then on they are read at every check. A store that cannot be read may hold one.
func (e *Engine) searchIssued(ref certstore.Ref, thumbprint string) error {
	issuer, err := e.view().Find(ref, thumbprint)
	if err != nil || issuer == nil {
		return err
	}
	issued := func(entry certstore.Entry) bool {
		return bytes.Equal(entry.Certificate.RawIssuer, issuer.Certificate.RawSubject)
	}
	var refs []certstore.Ref
	for _, location := range certstore.NeededFrom(ref.Location) {
		existing, err := e.Store.Stores(location)
		if err != nil {
			return fmt.Errorf("listing the stores of %s: %w", location, err)
		}
		refs = append(refs, existing...)
	}
	var failed []error
	for _, one := range refs {
		if err := e.view().Search(one, issued); err != nil {
			failed = append(failed, fmt.Errorf("searching %s: %w", one, err))
		}
	}
	return errors.Join(failed...)
}
