package certstore

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle"
)

// Desired is the desired state of one ObservedCertificate on this node, with the certificate from its vault.
type Desired struct {
	// Mark is the desired mark. Its version is that of the fetched secret, its role RoleLeaf or RoleTrusted.
	Mark Mark
	// Ref is the store in the spec.
	Ref Ref
	// FriendlyName is the name that Windows tools show.
	FriendlyName string
	// HistoryLimit is how many superseded versions are kept; nil keeps all.
	HistoryLimit *int32
	// Bundle is the fetched certificate, with its key for RoleLeaf.
	Bundle *bundle.Bundle
	// Trusted are the certificates for a trust store, as the function Trusted selects them; the first one is reported.
	Trusted []*x509.Certificate
	// Access is the access list of the key, as KeyAccess writes it; empty where the store decides.
	Access string
	// AccessIncomplete is true while Access lacks an account that cannot be resolved: a new key gets Access, an existing key keeps
	// its list.
	AccessIncomplete bool
	// SharedAccess are the access lists of keys that several ObservedCertificates use, by thumbprint. A key belongs to the
	// location, not to one store or ObservedCertificate, so its list is the union of theirs.
	SharedAccess map[string]string
	// Link is true if predecessors are linked to their successor (linkOnRenewal).
	Link bool
	// RolledBack is true if versions that are newer than the current one must not be used any more: they are linked to it as
	// predecessors are.
	RolledBack bool
}

// Current returns the certificate that is reported: the leaf, or the first trusted one.
func (d Desired) Current() *x509.Certificate {
	if d.Mark.Role == RoleTrusted {
		return d.Trusted[0]
	}
	return d.Bundle.Leaf
}

// Owner is an existing ObservedCertificate. It decides the ownership of shared certificates.
type Owner struct {
	// Name is its name.
	Name string
	// Created is its creation time; the older of two wins.
	Created time.Time
}

// Observed is the observed state of the stores.
type Observed struct {
	// Entries are the certificates of every relevant store, by store.
	Entries map[Ref][]Entry
	// Owners are the ObservedCertificates that exist, by UID.
	Owners map[string]Owner
	// Claims are the certificates that other ObservedCertificates use.
	Claims Claims
	// Bound are the TLS bindings of a certificate, by thumbprint, such as 0.0.0.0:443. A bound certificate is not removed.
	Bound map[string][]string
}

// Plan returns the actions from the observed to the desired state, none if they are equal. Their order keeps a certificate
// available at any time: intermediates, the certificate itself, links to it, and only then removals. Certificates without
// Vaultpane's mark are not changed. It is a pure function. The error is a *Conflict.
func Plan(desired Desired, observed Observed, now time.Time) ([]Action, error) {
	place := planLeaf
	if desired.Mark.Role == RoleTrusted {
		place = planTrusted
	}
	actions, err := place(desired, observed)
	if err != nil {
		return nil, err
	}
	if desired.Mark.Role == RoleLeaf {
		actions = append(planIntermediates(desired, observed, now), actions...)
	}
	if validAt(desired.Current(), now) {
		actions = append(actions, planLinks(desired, observed)...)
		actions = append(actions, planRemovals(desired, observed)...)
	}
	return actions, nil
}

// ValidAt reports whether the certificate is valid at a time.
func (e Entry) ValidAt(now time.Time) bool { return validAt(e.Certificate, now) }

func validAt(certificate *x509.Certificate, now time.Time) bool {
	return !now.Before(certificate.NotBefore) && !now.After(certificate.NotAfter)
}

func (o Observed) find(ref Ref, thumbprint string) *Entry {
	for other, entries := range o.Entries {
		if !other.Same(ref) {
			continue
		}
		for i := range entries {
			if entries[i].Thumbprint == thumbprint {
				return &entries[i]
			}
		}
	}
	return nil
}

// own returns the certificates of a mark's ObservedCertificate in a store, in the mark's role.
func (o Observed) own(ref Ref, mark Mark) []Entry {
	var own []Entry
	for other, entries := range o.Entries {
		for _, entry := range entries {
			if other.Same(ref) && entry.Mark != nil && entry.Mark.UID == mark.UID && entry.Mark.Role == mark.Role {
				own = append(own, entry)
			}
		}
	}
	return own
}

func (o Observed) alive(uid string) bool {
	_, ok := o.Owners[uid]
	return ok
}

// olderOf returns the UID of the older of two ObservedCertificates, or of the one whose name sorts first if both were created
// in the same second.
func (o Observed) olderOf(a, b string) string {
	first, second := o.Owners[a], o.Owners[b]
	if order := first.Created.Compare(second.Created); order < 0 || (order == 0 && first.Name < second.Name) {
		return a
	}
	return b
}

// refs returns the stores in a fixed order, so that plans are deterministic.
func (o Observed) refs() []Ref {
	refs := make([]Ref, 0, len(o.Entries))
	for ref := range o.Entries {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.String(), b.String()) })
	return refs
}
