package certstore

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle"
)

// Desired is what one ObservedCertificate wants on this node, and what its vault holds.
type Desired struct {
	// Mark is what the mark should say; its version is that of the fetched secret, its role RoleLeaf or RoleTrusted.
	Mark Mark
	// Ref is the store that the spec names.
	Ref Ref
	// FriendlyName is what Windows tools should show.
	FriendlyName string
	// HistoryLimit is how many superseded versions stay; nil keeps all.
	HistoryLimit *int32
	// Bundle is the fetched certificate: with its key, for RoleLeaf.
	Bundle *bundle.Bundle
	// Trusted are the certificates for a store that holds trust (Trusted chooses them), the one that is reported first.
	Trusted []*x509.Certificate
	// Access is who may use the key, as KeyAccess writes it; empty where that is left to the store.
	Access string
	// AccessUnsettled says that Access lacks somebody for the moment: a new key gets it, and one that is there keeps what it
	// has.
	AccessUnsettled bool
	// SharedAccess is who may use the keys that other ObservedCertificates use too, by thumbprint: a key belongs to the location,
	// and not to one store or one ObservedCertificate, so its rights are those of all of them together.
	SharedAccess map[string]string
	// Link says that predecessors are linked to the certificate that renews them.
	Link bool
}

// Current returns the certificate that stands for all of it: the leaf, or the first trusted one.
func (d Desired) Current() *x509.Certificate {
	if d.Mark.Role == RoleTrusted {
		return d.Trusted[0]
	}
	return d.Bundle.Leaf
}

// Owner is an ObservedCertificate that exists, for deciding who a shared certificate belongs to.
type Owner struct {
	// Name is its name.
	Name string
	// Created is when it was made; the older of two wins.
	Created time.Time
}

// Observed is what the stores hold.
type Observed struct {
	// Entries are the certificates of every store that matters, by store.
	Entries map[Ref][]Entry
	// Owners are the ObservedCertificates that exist, by UID.
	Owners map[string]Owner
	// Claims are the certificates that other ObservedCertificates use.
	Claims Claims
	// Bound is what the machine serves with a certificate, by thumbprint: such a certificate is not superseded yet.
	Bound map[string][]string
}

// Plan returns the steps from what is there to what is wanted, in an order in which the store is never without a
// certificate that it had: intermediates, the certificate itself, links to it, and only then removals. Nothing without
// Vaultpane's mark is touched. It is a pure function; no step is needed when all is well. The error is a *Conflict.
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

// ValidAt tells whether a time lies within the certificate's validity.
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

// own returns what the ObservedCertificate of a mark has in a store, in the mark's role.
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

// olderOf returns the UID of the older of two ObservedCertificates; of two made in the same second, the one whose name
// comes first.
func (o Observed) olderOf(a, b string) string {
	first, second := o.Owners[a], o.Owners[b]
	if order := first.Created.Compare(second.Created); order < 0 || (order == 0 && first.Name < second.Name) {
		return a
	}
	return b
}

// refs returns the stores in a fixed order, so that the plan is the same each time.
func (o Observed) refs() []Ref {
	refs := make([]Ref, 0, len(o.Entries))
	for ref := range o.Entries {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b Ref) int { return strings.Compare(a.String(), b.String()) })
	return refs
}
