package agent

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// sweep drops reports of certificates that are gone, follows the deletion policy of what nothing wants any more, and removes
// intermediates that nothing needs. It removes nothing until every wanted certificate has been polled once: before that it
// is not known who else uses one.
func (r *Reconciler) sweep(ctx context.Context) error {
	r.sweepMu.Lock()
	defer r.sweepMu.Unlock()
	reported := r.Reporter.Names() // before the list: what is made in between is not to be dropped
	certificates, claims, known, err := r.claims(ctx)
	if err != nil {
		return err
	}
	r.dropReports(reported, certificates)
	if !known {
		return nil
	}
	kept, suspended := map[string]bool{}, map[string]bool{}
	for _, certificate := range certificates {
		kept[string(certificate.UID)] = true
		suspended[string(certificate.UID)] = certificate.Spec.Suspend
	}
	actions := certstore.PlanOrphans(certstore.Observed{Entries: r.inventory.marked()}, kept, claims)
	unneeded, err := r.unneeded(kept)
	actions = append(actions, unneeded...)
	failed := []error{err}
	for _, action := range actions {
		if step, ok := action.(*certstore.Remove); ok && suspended[step.UID] {
			continue // nothing is changed for it
		}
		_, err := r.perform(ctx, []certstore.Action{action}) // one that fails holds up no other
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// claims returns the ObservedCertificates that want this node, what they have, should have or wait for, and whether all of
// them have been looked at.
func (r *Reconciler) claims(ctx context.Context) (certificates []v1alpha1.ObservedCertificate, claims certstore.Claims, known bool, err error) {
	certificates, err = r.selectedCertificates(ctx)
	known = true
	for i := range certificates {
		if _, err := selects(&certificates[i], nil); err != nil {
			continue // never looked at, and kept
		}
		remembered, ok := r.records.get(certificates[i].Name)
		if !ok || !remembered.looked() {
			known = false
			continue
		}
		claim(&claims, &certificates[i], remembered)
	}
	return certificates, claims, known, err
}

// claim claims what a certificate has, and what it should have: after a conflict these differ, and the one who lost it is the
// heir of the one who won. Before the first success it is not known what that is.
func claim(claims *certstore.Claims, certificate *v1alpha1.ObservedCertificate, remembered record) {
	if remembered.thumbprint == "" && remembered.fetched == "" && !remembered.terminal {
		claims.Await(remembered.ref, remembered.source)
	}
	for thumbprint, version := range map[string]string{remembered.fetched: remembered.fetchedAs, remembered.thumbprint: remembered.version} {
		if thumbprint != "" {
			claims.Add(remembered.ref, thumbprint, certstore.Mark{
				Name: certificate.Name, UID: string(certificate.UID), Source: remembered.source, Version: version,
				DeletionPolicy: string(certificate.Spec.DeletionPolicy),
			})
		}
	}
}

// dropReports drops what is reported of certificates that want this node no more: they may have gone while the agent was
// away, and then nothing else tells of it.
func (r *Reconciler) dropReports(reported []string, certificates []v1alpha1.ObservedCertificate) {
	wanted := make(map[string]bool, len(certificates))
	for _, certificate := range certificates {
		wanted[certificate.Name] = true
	}
	for _, name := range reported {
		if !wanted[name] {
			r.Reporter.Drop(name)
		}
	}
}

// selectedCertificates returns the ObservedCertificates that want this node, and all while there is no Node. They are the
// cache's own: nobody changes them.
func (r *Reconciler) selectedCertificates(ctx context.Context) ([]v1alpha1.ObservedCertificate, error) {
	var list v1alpha1.ObservedCertificateList
	if err := r.List(ctx, &list, &client.ListOptions{UnsafeDisableDeepCopy: new(true)}); err != nil {
		return nil, fmt.Errorf("listing ObservedCertificates: %w", err)
	}
	nodeLabels, err := r.nodeLabels(ctx)
	if errors.Is(err, errNoNode) {
		return filterLasting(list.Items), nil
	}
	if err != nil {
		return nil, err
	}
	return filterSelected(filterLasting(list.Items), nodeLabels), nil
}

// filterLasting leaves out what is being deleted: it is let go at once, whatever finalizers wait for.
func filterLasting(certificates []v1alpha1.ObservedCertificate) []v1alpha1.ObservedCertificate {
	var lasting []v1alpha1.ObservedCertificate
	for _, certificate := range certificates {
		if certificate.DeletionTimestamp.IsZero() {
			lasting = append(lasting, certificate)
		}
	}
	return lasting
}

func filterSelected(certificates []v1alpha1.ObservedCertificate, node labels.Set) []v1alpha1.ObservedCertificate {
	var selected []v1alpha1.ObservedCertificate
	for _, certificate := range certificates {
		if wanted, err := selects(&certificate, node); err != nil || wanted {
			selected = append(selected, certificate) // an unreadable selector must not cause a removal
		}
	}
	return selected
}
