package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
)

// searchInterval is the time between two searches of all the machine's stores for marks. In between, the stores in use are
// enough.
const searchInterval = time.Hour

// storeCheck looks at the store every now and then: what is missing there is queued for repair, and what no
// ObservedCertificate wants any more follows its deletion policy. It asks Key Vault for nothing.
type storeCheck struct{ *Reconciler }

// Start runs until the context ends.
func (s *storeCheck) Start(ctx context.Context) error {
	ctx = ctrl.LoggerInto(ctx, ctrl.LoggerFrom(ctx).WithName("store-check"))
	ticker := time.NewTicker(s.StoreCheckInterval)
	defer ticker.Stop()
	var searched time.Time
	for {
		if s.Now().Sub(searched) >= searchInterval {
			if err := s.search(); err != nil {
				ctrl.LoggerFrom(ctx).Info("Cannot search the stores for marks", "cause", err.Error())
			} else {
				searched = s.Now()
			}
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return nil
		}
		if err := s.check(ctx); err != nil {
			ctrl.LoggerFrom(ctx).Info("Cannot check the store", "cause", err.Error())
		}
	}
}

// search reads every store of the machine, so that marks in stores that no spec names any more are known too. A store that
// cannot be read does not keep it from the others.
func (r *Reconciler) search() error {
	var failed []error
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		refs, err := r.Store.Stores(location)
		if err != nil {
			failed = append(failed, fmt.Errorf("listing the stores of %s: %w", location, err))
		}
		for _, ref := range refs {
			if err := r.inventory.search(ref); err != nil {
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
	for name, remembered := range r.records.all() {
		if remembered.thumbprint == "" {
			continue
		}
		held, err := r.inventory.find(remembered.ref, remembered.thumbprint)
		if err != nil {
			continue // the certificate's own attempts report it
		}
		if held != nil && held.Key == certstore.KeyPresent {
			continue
		}
		select {
		case r.recheck <- event.TypedGenericEvent[string]{Object: name}:
		case <-ctx.Done():
			return nil
		}
	}
	return errors.Join(append(failed, r.sweep(ctx))...)
}

// sweep drops reports of certificates that are gone, and follows the deletion policy of what nothing wants any more. It
// removes nothing until every wanted certificate has been polled once: before that it is not known who else uses one.
func (r *Reconciler) sweep(ctx context.Context) error {
	r.sweepMu.Lock()
	defer r.sweepMu.Unlock()
	reported := r.Reporter.Names() // before the list: what is made in between is not to be dropped
	certificates, err := r.selectedCertificates(ctx)
	if err != nil {
		return err
	}
	r.dropReports(reported, certificates)
	kept := map[string]bool{}
	claims := certstore.Claims{}
	for _, certificate := range certificates {
		kept[string(certificate.UID)] = true
		if _, err := selects(&certificate, nil); err != nil {
			continue // never looked at, and kept
		}
		remembered, ok := r.records.get(certificate.Name)
		if !ok || !remembered.looked() {
			return nil
		}
		claim(claims, &certificate, remembered)
	}
	var failed []error
	for _, action := range certstore.PlanOrphans(certstore.Observed{Entries: r.inventory.marked()}, kept, claims) {
		failed = append(failed, r.perform(ctx, []certstore.Action{action})) // one that fails holds up no other
	}
	return errors.Join(failed...)
}

// claim claims what a certificate has, and what it should have: after a conflict these differ, and the one who lost it is the
// heir of the one who won.
func claim(claims certstore.Claims, certificate *v1alpha1.ObservedCertificate, remembered record) {
	for thumbprint, version := range map[string]string{remembered.fetched: remembered.fetchedAs, remembered.thumbprint: remembered.version} {
		if thumbprint != "" {
			claims.Add(remembered.ref, thumbprint, certstore.Mark{
				Name: certificate.Name, UID: string(certificate.UID), Version: version,
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
