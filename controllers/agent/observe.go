package agent

import (
	"context"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/schedule"
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
	previous, reported := r.Previous[certificate.Name]
	if reported && previous.Since != nil && previous.Since.Time.Before(certificate.CreationTimestamp.Add(-clockSkew)) {
		r.Reporter.Drop(certificate.Name) // it is about an earlier object of the same name
		reported = false
	}
	if reported {
		fresh.takeUp(previous, r.takenFor(certificate, fresh.ref, previous.Thumbprint))
	}
	r.records.put(certificate.Name, fresh) // the spread must not be drawn again
	return fresh
}

// clockSkew is how far the node's clock may be behind the API server's without a report looking older than its object.
const clockSkew = 5 * time.Minute

// takeUp remembers what was reported before a restart. Without proof that it is about this very object it is polled anew.
func (r *record) takeUp(previous v1alpha1.CertificateEntry, proven bool) {
	r.entry = previous
	if !proven {
		r.entry.Generation, r.entry.RequestedAt = 0, ""
		return
	}
	r.thumbprint, r.version = previous.Thumbprint, previous.Version
	if previous.State == v1alpha1.StateInstalled {
		r.installed = previous.Generation
	}
	wellPolled := previous.Reason == "" || previous.Reason.Class() == v1alpha1.ClassNone // else the polls failed, and one is made soon
	if previous.State == v1alpha1.StateInstalled && wellPolled {
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
	entries = slices.DeleteFunc(entries, func(e certstore.Entry) bool { return e.Mark == nil || e.Mark.Role == certstore.RoleIntermediate })
	if len(entries) == 0 {
		return nil, nil
	}
	newest := slices.MaxFunc(entries, certstore.CompareVersions)
	return &newest, nil
}

// observed gathers what the plan of one certificate needs: entries with its mark in every store that has been read, the
// wanted certificates whoever put them there, and, only where it can matter, who else there is: a thousand certificates must
// not look at a thousand each.
func (r *Reconciler) observed(ctx context.Context, desired certstore.Desired) (certstore.Observed, error) {
	current := certstore.Thumbprint(desired.Current())
	thumbprints := []string{current}
	for _, companion := range desired.Companions() {
		thumbprints = append(thumbprints, companion.Thumbprint)
	}
	found, err := r.entries(desired, thumbprints)
	if err != nil {
		return found, err
	}
	superseded, shared := false, false
	for _, entries := range found.Entries {
		for _, entry := range entries {
			own := entry.Mark != nil && entry.Mark.UID == desired.Mark.UID
			superseded = superseded || own && entry.Mark.Role != certstore.RoleIntermediate && entry.Thumbprint != current
			shared = shared || entry.Mark != nil && !own && entry.Mark.Role != certstore.RoleIntermediate
		}
	}
	if shared {
		if found.Owners, err = r.owners(ctx); err != nil {
			return found, err
		}
	}
	if superseded && (desired.HistoryLimit != nil || desired.Mark.DeletionPolicy == string(v1alpha1.DeletionDelete)) {
		found.Bound = r.bound(found)
		_, found.Claims, _, err = r.claims(ctx)
	}
	return found, err
}

// entries returns what an ObservedCertificate has in every store that has been read, in its own and in CA, and those of some
// thumbprints whoever put them there.
func (r *Reconciler) entries(desired certstore.Desired, thumbprints []string) (certstore.Observed, error) {
	r.searched.Do(func() { _ = r.search() }) // so that what was left in a store before the start is known; the store check says what failed
	found := certstore.Observed{Entries: map[certstore.Ref][]certstore.Entry{}}
	authorities := certstore.Ref{Location: desired.Ref.Location, Name: certstore.StoreCA}
	for _, one := range append(r.inventory.refs(), desired.Ref, authorities) {
		if slices.ContainsFunc(keys(found.Entries), one.Same) {
			continue
		}
		entries, err := r.inventory.relevant(one, desired.Mark.UID, thumbprints...)
		if err != nil {
			return certstore.Observed{}, err
		}
		found.Entries[one] = entries
	}
	return found, nil
}

// bound returns what the machine serves with which certificate. Where that cannot be found out, everything may be in use.
func (r *Reconciler) bound(found certstore.Observed) map[string][]string {
	bound, err := r.Machine.Bindings()
	if err == nil {
		return bound
	}
	bound = map[string][]string{}
	for _, entries := range found.Entries {
		for _, entry := range entries {
			bound[entry.Thumbprint] = []string{"unknown bindings: " + err.Error()}
		}
	}
	return bound
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
func entryOf(certificate *v1alpha1.ObservedCertificate, ref certstore.Ref, held *certstore.Entry, version string) v1alpha1.CertificateEntry {
	entry := v1alpha1.CertificateEntry{
		Name: certificate.Name, Generation: certificate.Generation,
		RequestedAt: requestOf(certificate),
	}
	if !usableIn(ref, held) {
		return entry
	}
	entry.Thumbprint, entry.Version = held.Thumbprint, version
	if held.Mark != nil && held.Mark.UID == string(certificate.UID) {
		entry.Version = held.Mark.Version
	}
	notAfter := metav1.NewTime(held.Certificate.NotAfter)
	entry.NotAfter = &notAfter
	return entry
}
