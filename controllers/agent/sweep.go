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

// search reads every store of the machine, so that marks in stores that no spec names any more are known too.
func (r *Reconciler) search() error {
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		refs, err := r.Store.Stores(location)
		if err != nil {
			return fmt.Errorf("listing the stores of %s: %w", location, err)
		}
		for _, ref := range refs {
			if err := r.inventory.search(ref); err != nil {
				return fmt.Errorf("searching %s: %w", ref, err)
			}
		}
	}
	return nil
}

// check reads the stores in use, queues what has drifted, and sweeps.
func (r *Reconciler) check(ctx context.Context) error {
	for _, ref := range r.inventory.refs() {
		if err := r.inventory.refresh(ref); err != nil {
			return fmt.Errorf("reading %s: %w", ref, err)
		}
	}
	for name, remembered := range r.records.all() {
		if remembered.thumbprint == "" {
			continue
		}
		held, err := r.inventory.find(remembered.ref, remembered.thumbprint)
		if err != nil {
			return fmt.Errorf("reading %s: %w", remembered.ref, err)
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
	return r.sweep(ctx)
}

// sweep follows the deletion policy of certificates that nothing wants any more. It waits until every wanted certificate
// has been looked at once: before that it is not known who else uses one.
func (r *Reconciler) sweep(ctx context.Context) error {
	r.sweepMu.Lock()
	defer r.sweepMu.Unlock()
	certificates, err := r.selectedCertificates(ctx)
	if err != nil {
		return err
	}
	kept := map[string]bool{}
	claims := certstore.Claims{}
	for _, certificate := range certificates {
		remembered, ok := r.records.get(certificate.Name)
		if !ok {
			return nil
		}
		kept[string(certificate.UID)] = true
		if remembered.thumbprint != "" {
			claims.Add(remembered.ref, remembered.thumbprint, certstore.Mark{
				Name: certificate.Name, UID: string(certificate.UID), Version: remembered.version,
				DeletionPolicy: string(certificate.Spec.DeletionPolicy),
			})
		}
	}
	observed := certstore.Observed{Entries: r.inventory.marked()}
	return r.perform(ctx, certstore.PlanOrphans(observed, kept, claims))
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
		return list.Items, nil
	}
	if err != nil {
		return nil, err
	}
	return filterSelected(list.Items, nodeLabels), nil
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
