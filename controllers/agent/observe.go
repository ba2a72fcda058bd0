package agent

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
	"github.com/vaultpane/vaultpane/controllers/internal/schedule"
)

// recall returns what is remembered of a certificate. After a restart that is what was reported before it; an object of
// the same name under another UID is another certificate.
func (r *Reconciler) recall(certificate *v1alpha1.ObservedCertificate) record {
	if remembered, ok := r.records.get(certificate.Name); ok && remembered.uid == certificate.UID {
		return remembered
	}
	fresh := record{uid: certificate.UID, ref: storeRef(certificate.Spec)}
	if certificate.CreationTimestamp.After(r.Started) {
		return fresh
	}
	fresh.notBefore = r.Started.Add(schedule.Spread(r.InitialSpread))
	if previous, reported := r.Previous[certificate.Name]; reported {
		fresh.takeUp(previous, r.takenFor(certificate, fresh.ref, previous.Thumbprint))
	}
	r.records.put(certificate.Name, fresh) // the spread must not be drawn again
	return fresh
}

// takeUp remembers what was reported before a restart. Without proof that it is about this very object it is polled anew.
func (r *record) takeUp(previous v1alpha1.CertificateEntry, proven bool) {
	r.entry = previous
	if !proven {
		r.entry.Generation, r.entry.RequestedAt = 0, ""
		return
	}
	r.thumbprint, r.version = previous.Thumbprint, previous.Version
	if previous.State == v1alpha1.StateInstalled {
		r.generation, r.requestedAt = previous.Generation, previous.RequestedAt
	}
}

// takenFor tells whether the store proves that a certificate was installed for this object: by its mark, or by that of
// another object which shares it. The report before a restart names no UID, and may be that of an earlier object of the same
// name: its generation says nothing then, since both began with 1.
func (r *Reconciler) takenFor(certificate *v1alpha1.ObservedCertificate, ref certstore.Ref, thumbprint string) bool {
	held, err := r.inventory.find(ref, thumbprint)
	return err == nil && held != nil && held.Mark != nil &&
		(held.Mark.UID == string(certificate.UID) || held.Mark.Name != certificate.Name)
}

// holding returns what the store holds for a certificate: the one it should have, or after a restart without memory the
// newest that carries its mark.
func (r *Reconciler) holding(remembered record, ref certstore.Ref) (*certstore.Entry, error) {
	if remembered.thumbprint != "" && remembered.ref.Same(ref) {
		return r.inventory.find(ref, remembered.thumbprint)
	}
	entries, err := r.inventory.relevant(ref, string(remembered.uid))
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e certstore.Entry) bool { return e.Mark == nil || e.Mark.Intermediate })
	if len(entries) == 0 {
		return nil, nil
	}
	newest := slices.MaxFunc(entries, func(a, b certstore.Entry) int {
		return a.Certificate.NotBefore.Compare(b.Certificate.NotBefore)
	})
	return &newest, nil
}

// observed gathers what the plan of one certificate needs: entries with its mark in every store that has been read, the
// wanted certificates whoever put them there, the leaf first, and, where the leaf is another's, which ObservedCertificates
// exist.
func (r *Reconciler) observed(ctx context.Context, ref certstore.Ref, uid string, thumbprints []string) (certstore.Observed, error) {
	r.searched.Do(func() { _ = r.search() }) // so that what was left in a store before the start is known; the store check says what failed
	found := certstore.Observed{Entries: map[certstore.Ref][]certstore.Entry{}}
	authorities := certstore.Ref{Location: ref.Location, Name: certstore.StoreCA}
	for _, one := range append(r.inventory.refs(), ref, authorities) {
		if slices.ContainsFunc(keys(found.Entries), one.Same) {
			continue
		}
		entries, err := r.inventory.relevant(one, uid, thumbprints...)
		if err != nil {
			return certstore.Observed{}, err
		}
		found.Entries[one] = entries
	}
	if !heldByAnother(found, uid, thumbprints[0]) {
		return found, nil // nobody asks who exists: a thousand certificates must not list a thousand each
	}
	var err error
	found.Owners, err = r.owners(ctx)
	return found, err
}

// heldByAnother tells whether a certificate carries the mark of another ObservedCertificate.
func heldByAnother(found certstore.Observed, uid, thumbprint string) bool {
	for _, entries := range found.Entries {
		for _, entry := range entries {
			if entry.Thumbprint == thumbprint && entry.Mark != nil && entry.Mark.UID != uid {
				return true
			}
		}
	}
	return false
}

// owners returns the ObservedCertificates that exist and select this node, by UID.
func (r *Reconciler) owners(ctx context.Context) (map[string]certstore.Owner, error) {
	certificates, err := r.selectedCertificates(ctx)
	if err != nil {
		return nil, err
	}
	owners := make(map[string]certstore.Owner, len(certificates))
	for _, one := range certificates {
		owners[string(one.UID)] = certstore.Owner{Name: one.Name, Created: one.CreationTimestamp.Time}
	}
	return owners, nil
}

func keys(entries map[certstore.Ref][]certstore.Entry) []certstore.Ref {
	refs := make([]certstore.Ref, 0, len(entries))
	for ref := range entries {
		refs = append(refs, ref)
	}
	return refs
}

// entryOf returns a certificate's report as far as the store tells it.
func entryOf(certificate *v1alpha1.ObservedCertificate, held *certstore.Entry, version string) v1alpha1.CertificateEntry {
	entry := v1alpha1.CertificateEntry{
		Name: certificate.Name, Generation: certificate.Generation,
		RequestedAt: certificate.Annotations[v1alpha1.RequestedAtAnnotation],
	}
	if held == nil || held.Key != certstore.KeyPresent {
		return entry
	}
	entry.Thumbprint, entry.Version = held.Thumbprint, version
	if held.Mark != nil {
		entry.Version = held.Mark.Version
	}
	notAfter := metav1.NewTime(held.Certificate.NotAfter)
	entry.NotAfter = &notAfter
	return entry
}
