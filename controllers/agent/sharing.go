package agent

import (
	"context"
	"maps"
	"slices"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// settleAccess finds out who may use the key of each version that a certificate has in the stores, and of its current one, which
// may not be there yet.
func (r *Reconciler) settleAccess(ctx context.Context, certificate *v1alpha1.ObservedCertificate, w *wanted, seen certstore.Observed, current *certstore.Entry) {
	if w.Mark.Role != certstore.RoleLeaf {
		return
	}
	var versions []certstore.Entry
	for _, entries := range seen.Entries {
		for _, entry := range entries {
			if entry.OwnKey {
				versions = append(versions, entry)
			}
		}
	}
	thumbprints := make([]string, 0, len(versions)+1)
	for _, entry := range versions {
		thumbprints = append(thumbprints, entry.Thumbprint)
	}
	if current != nil {
		thumbprints = append(thumbprints, current.Thumbprint)
	}
	r.share(ctx, certificate, w, thumbprints)
	r.holdBackNarrowing(ctx, w, versions)
}

// share completes who may use the keys of a certificate's versions with the accounts of other ObservedCertificates that use
// the same keys: a key belongs to the location, so that two stores, or two ObservedCertificates, have one in common. Each of
// them comes to the same rights, and none takes the other's away. It must follow a change of the stores.
func (r *Reconciler) share(ctx context.Context, certificate *v1alpha1.ObservedCertificate, w *wanted, thumbprints []string) {
	w.SharedAccess = nil
	for _, thumbprint := range thumbprints {
		sharers := r.sharers(ctx, certificate, w, thumbprint)
		if len(sharers) == 0 {
			continue
		}
		joined := w.access
		for _, one := range sharers {
			joined = joined.join(r.accounts.accessFor(r.Machine, one.Spec.Accounts, r.Now()))
		}
		if w.SharedAccess == nil {
			w.SharedAccess = map[string]string{}
		}
		w.SharedAccess[thumbprint] = joined.list(w.Ref.Location)
		w.AccessIncomplete = w.AccessIncomplete || !joined.settled
	}
}

// sharers returns the other ObservedCertificates of this node that have a certificate in the same location with the same key
// options: those whose mark it carries in some store, and those that were given it or ask for what it came from.
func (r *Reconciler) sharers(ctx context.Context, certificate *v1alpha1.ObservedCertificate, w *wanted, thumbprint string) []*v1alpha1.ObservedCertificate {
	names := r.records.usersOf(w.Ref.Location, thumbprint)
	maps.Copy(names, r.records.usersOf(w.Ref.Location, w.Mark.Source))
	for _, entry := range r.inventory.copies(w.Ref.Location, thumbprint) {
		if entry.Mark != nil && entry.Mark.Role == certstore.RoleLeaf {
			names[entry.Mark.Name] = true
			maps.Copy(names, r.records.usersOf(w.Ref.Location, entry.Mark.Source))
		}
	}
	delete(names, certificate.Name)
	var sharers []*v1alpha1.ObservedCertificate
	for _, name := range slices.Sorted(maps.Keys(names)) {
		other, selected, err := r.wish(ctx, name)
		if err == nil && selected && sharesKey(certificate.Spec, other.Spec) {
			sharers = append(sharers, other)
		}
	}
	return sharers
}

// sharesKey reports whether the keys of two specs have the same place, where the certificate is the same.
func sharesKey(a, b v1alpha1.ObservedCertificateSpec) bool {
	first, second := storeRef(a), storeRef(b)
	return first.Location == second.Location && !certstore.HoldsTrust(second) &&
		a.KeyExportable == b.KeyExportable && a.KeyStorageProvider == b.KeyStorageProvider
}

// holdBackNarrowing keeps the rights of a key that is there until every certificate of this node has been looked at once after
// a start: one that shares the key may not be known yet, and would lose its rights for a moment.
func (r *Reconciler) holdBackNarrowing(ctx context.Context, w *wanted, entries []certstore.Entry) {
	for _, entry := range entries {
		if entry.Access == "" || !entry.OwnKey || entry.Access == w.AccessTo(entry.Thumbprint) || certstore.AtLeastAsWide(w.AccessTo(entry.Thumbprint), entry.Access) {
			continue
		}
		if !r.allLooked(ctx) {
			w.AccessIncomplete = true
		}
		return
	}
}

// allLooked reports whether every certificate that selects this node has been looked at since the start.
func (r *Reconciler) allLooked(ctx context.Context) bool {
	if r.looked.Load() {
		return true
	}
	_, _, known, err := r.claims(ctx)
	if err == nil && known {
		r.looked.Store(true)
	}
	return r.looked.Load()
}

// copies returns a certificate as it is in each store of a location that has been read.
func (i *inventory) copies(location certstore.Location, thumbprint string) []certstore.Entry {
	i.mu.Lock()
	defer i.mu.Unlock()
	var found []certstore.Entry
	for _, held := range i.stores {
		if entry, ok := held.entries[thumbprint]; ok && held.ref.Location == location {
			found = append(found, entry)
		}
	}
	return found
}

// use names what certificates are found by that may share a key: a thumbprint, or the source of their marks.
type use struct {
	location certstore.Location
	what     string
}

// uses returns what a record is found by.
func (r record) uses() []use {
	var uses []use
	for _, what := range []string{r.thumbprint, r.fetched, r.source} {
		if what != "" {
			uses = append(uses, use{r.ref.Location, what})
		}
	}
	return uses
}

// usersOf returns the names of the certificates that have a certificate or were given it, or that come from a source.
func (r *records) usersOf(location certstore.Location, what string) map[string]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := map[string]bool{}
	for name := range r.users[use{location, what}] {
		names[name] = true
	}
	return names
}

// index keeps usersOf up with a record that changes; nil for none. The caller holds the lock.
func (r *records) index(name string, before, after *record) {
	if r.users == nil {
		r.users = map[use]map[string]bool{}
	}
	if before != nil {
		for _, one := range before.uses() {
			delete(r.users[one], name)
			if len(r.users[one]) == 0 {
				delete(r.users, one)
			}
		}
	}
	if after != nil {
		for _, one := range after.uses() {
			if r.users[one] == nil {
				r.users[one] = map[string]bool{}
			}
			r.users[one][name] = true
		}
	}
}
