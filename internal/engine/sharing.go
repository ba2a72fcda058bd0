package engine

import (
	"context"
	"maps"
	"slices"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// settleAccess completes what is desired with who may use the key of each version that a certificate has in the stores, and of its
// current one, which may not be there yet.
func (e *Engine) settleAccess(ctx context.Context, t task, want desired, seen certstore.Observed, current *certstore.Entry) desired {
	if want.Mark.Role != certstore.RoleLeaf {
		return want
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
	want = e.shareAccess(ctx, t, want, thumbprints)
	if e.narrows(want, versions) && !e.allProcessed(ctx) {
		want.AccessIncomplete = true // an ObservedCertificate that shares the key may not be known yet, and would lose its access for a moment
	}
	return want
}

// shareAccess completes who may use the keys of a certificate's versions with the accounts of other ObservedCertificates that use
// the same keys: a key belongs to the location, so that two stores, or two ObservedCertificates, have one in common. Each of
// them comes to the same rights, and none removes the other's. It must follow a change of the stores.
func (e *Engine) shareAccess(ctx context.Context, t task, want desired, thumbprints []string) desired {
	want.SharedAccess = nil
	for _, thumbprint := range thumbprints {
		sharers := e.sharers(ctx, t, want, thumbprint)
		if len(sharers) == 0 {
			continue
		}
		joined := want.access
		for _, one := range sharers {
			joined = joined.Join(e.accounts.Of(e.Machine, one.Spec.Accounts, e.Now()))
		}
		if want.SharedAccess == nil {
			want.SharedAccess = map[string]string{}
		}
		want.SharedAccess[thumbprint] = joined.List(want.Ref.Location)
		want.AccessIncomplete = want.AccessIncomplete || !joined.Settled
	}
	return want
}

// sharers returns the other ObservedCertificates of this machine that have a certificate in the same location with the same key
// options: those whose mark it carries in some store, and those that were given it or ask for what it came from.
func (e *Engine) sharers(ctx context.Context, t task, want desired, thumbprint string) []*v1alpha1.ObservedCertificate {
	names := e.memory.usersOf(want.Ref.Location, thumbprint)
	maps.Copy(names, e.memory.usersOf(want.Ref.Location, want.Mark.Source))
	for _, entry := range e.view().Copies(want.Ref.Location, thumbprint) {
		if entry.Mark != nil && entry.Mark.Role == certstore.RoleLeaf {
			names[entry.Mark.Name] = true
			maps.Copy(names, e.memory.usersOf(want.Ref.Location, entry.Mark.Source))
		}
	}
	delete(names, t.certificate.Name)
	var sharers []*v1alpha1.ObservedCertificate
	for _, name := range slices.Sorted(maps.Keys(names)) {
		other, err := e.Certificates.Get(ctx, name)
		if err == nil && other != nil && sharesKey(t.certificate.Spec, other.Spec) {
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

// narrows reports whether the desired access takes rights from an existing key.
func (e *Engine) narrows(want desired, versions []certstore.Entry) bool {
	return slices.ContainsFunc(versions, func(entry certstore.Entry) bool {
		access := want.AccessTo(entry.Thumbprint)
		return entry.Access != "" && entry.Access != access && !certstore.AtLeastAsWide(access, entry.Access)
	})
}

// allProcessed reports whether every certificate that targets this machine was processed since the start.
func (e *Engine) allProcessed(ctx context.Context) bool {
	if e.processed.Load() {
		return true
	}
	all, err := e.claims(ctx)
	if err == nil && all.complete {
		e.processed.Store(true)
	}
	return e.processed.Load()
}
