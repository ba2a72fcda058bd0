package certstore

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// planIntermediates installs the chain's missing certificates into CA of the same location. It installs no self-signed roots: a
// certificate must not decide which roots the machine trusts. It installs no expired ones: no client accepts a chain through
// one, and a person may have removed it for that reason.
func planIntermediates(desired Desired, observed Observed, now time.Time) []Action {
	ca := Ref{Location: desired.Ref.Location, Name: StoreCA}
	mark := desired.Mark
	mark.Role, mark.Exportable, mark.Provider = RoleIntermediate, false, ""
	var actions []Action
	for _, certificate := range desired.intermediates() {
		if !now.After(certificate.NotAfter) && observed.find(ca, Thumbprint(certificate)) == nil {
			actions = append(actions, &Install{Ref: ca, Item: Item{Certificate: certificate, Mark: mark}})
		}
	}
	return actions
}

// intermediates returns the certificates of the chain that belong in CA.
func (d Desired) intermediates() []*x509.Certificate {
	var certificates []*x509.Certificate
	for _, certificate := range d.Bundle.Chain {
		if certificate.IsCA && !x509cert.SelfSigned(certificate) {
			certificates = append(certificates, certificate)
		}
	}
	return certificates
}

// Place is one certificate in one store.
type Place struct {
	Ref        Ref
	Thumbprint string
}

// Companion is a certificate that is installed together with another.
type Companion struct {
	Place
	// NotAfter is its expiry. An expired companion may be missing.
	NotAfter time.Time
}

// Companions returns the certificates that must be in the stores together with Current: the intermediates of a leaf, or the other
// trusted certificates.
func (d Desired) Companions() []Companion {
	ref := d.Ref
	var certificates []*x509.Certificate
	if d.Mark.Role == RoleTrusted {
		certificates = d.Trusted[1:]
	} else {
		ref.Name, certificates = StoreCA, d.intermediates()
	}
	companions := make([]Companion, 0, len(certificates))
	for _, certificate := range certificates {
		companions = append(companions, Companion{Place{ref, Thumbprint(certificate)}, certificate.NotAfter})
	}
	return companions
}

// PlanUnneeded returns the removal of intermediates that Vaultpane installed and that issued no certificate in the stores of their
// location, directly or through another intermediate. An expired one that other certificates of the location replace is unneeded
// too. observed must contain every certificate of the stores in use, including those of other tools. kept holds the UIDs of the
// ObservedCertificates that target this node: the intermediates of one without a certificate stay until it has one, and those of
// a deleted ObservedCertificate follow the deletion policy in their mark.
func PlanUnneeded(observed Observed, kept map[string]bool, now time.Time) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		if observed.hasUnreadable(ref.Location) {
			continue // it may need any of them
		}
		needed := observed.issuersIn(ref.Location, now)
		for _, entry := range observed.Entries[ref] {
			mark := entry.Mark
			if mark == nil || mark.Role != RoleIntermediate || needed[entry.Thumbprint] {
				continue
			}
			awaited := kept[mark.UID] && !observed.serves(ref.Location, mark.UID)
			retained := !kept[mark.UID] && mark.DeletionPolicy != deletionDelete
			if !awaited && !retained {
				actions = append(actions, &Remove{Ref: ref, Thumbprint: entry.Thumbprint, UID: mark.UID})
			}
		}
	}
	return actions
}

// serves reports whether an ObservedCertificate has a leaf in a location.
func (o Observed) serves(location Location, uid string) bool {
	for ref := range o.Entries {
		if ref.Location == location && len(o.own(ref, Mark{UID: uid, Role: RoleLeaf})) > 0 {
			return true
		}
	}
	return false
}

// issuersIn returns the thumbprints of the installed intermediates that the other certificates of a location need.
func (o Observed) issuersIn(location Location, now time.Time) map[string]bool {
	var candidates, needing []Entry
	for ref, entries := range o.Entries {
		for _, entry := range entries {
			intermediate := entry.Mark != nil && entry.Mark.Role == RoleIntermediate
			switch {
			case intermediate && ref.Location == location:
				candidates = append(candidates, entry)
			case slices.Contains(NeededFrom(location), ref.Location):
				needing = append(needing, entry)
			}
		}
	}
	needed := map[string]bool{}
	for len(needing) > 0 {
		one := needing[0]
		needing = needing[1:]
		for _, entry := range candidates {
			if needed[entry.Thumbprint] || !signedBy(entry.Certificate, one.Certificate) || o.outlived(entry.Certificate, one, location, now) {
				continue
			}
			needed[entry.Thumbprint] = true
			needing = append(needing, entry)
		}
	}
	return needed
}

// NeededFrom returns the locations whose certificates may need the certificates of a location: users see the stores of the machine.
func NeededFrom(location Location) []Location {
	if location == LocalMachine {
		return []Location{LocalMachine, CurrentUser}
	}
	return []Location{location}
}

// hasUnreadable reports whether a certificate with an unknown issuer may need the certificates of a location.
func (o Observed) hasUnreadable(location Location) bool {
	for ref, entries := range o.Entries {
		if slices.Contains(NeededFrom(location), ref.Location) &&
			slices.ContainsFunc(entries, func(e Entry) bool { return len(e.Certificate.RawIssuer) == 0 }) {
			return true
		}
	}
	return false
}

// outlived reports whether a certificate does not need an expired issuer: a valid certificate of the location issued it too (a
// renewed or cross-signed authority), or it is Vaultpane's own and has expired itself. If the clock is far ahead, everything looks
// expired: an issuer is removed only while one of Vaultpane's leaves in the same location is valid.
func (o Observed) outlived(issuer *x509.Certificate, entry Entry, location Location, now time.Time) bool {
	if !now.After(issuer.NotAfter) || !o.hasValidLeaf(location, now) {
		return false
	}
	return entry.Mark != nil && now.After(entry.Certificate.NotAfter) ||
		o.hasIssuer(entry.Certificate, location, func(c *x509.Certificate) bool { return validAt(c, now) })
}

func (o Observed) hasValidLeaf(location Location, now time.Time) bool {
	for ref, entries := range o.Entries {
		if ref.Location == location && slices.ContainsFunc(entries, func(e Entry) bool {
			return e.Mark != nil && e.Mark.Role == RoleLeaf && e.Key == KeyPresent && e.ValidAt(now)
		}) {
			return true
		}
	}
	return false
}

// issuerStores are the stores in which Windows looks for issuers. AuthRoot is part of Root and contains Microsoft's root program.
var issuerStores = []string{StoreCA, storeRoot, "AuthRoot"}

// hasIssuer reports whether the stores of a location contain a suitable issuer of a certificate. Users see the stores of the
// machine too.
func (o Observed) hasIssuer(certificate *x509.Certificate, location Location, suitable func(*x509.Certificate) bool) bool {
	for ref, entries := range o.Entries {
		if ref.Location != LocalMachine && ref.Location != location ||
			!slices.ContainsFunc(issuerStores, func(name string) bool { return strings.EqualFold(name, ref.Name) }) {
			continue
		}
		if slices.ContainsFunc(entries, func(e Entry) bool { return suitable(e.Certificate) && signedBy(e.Certificate, certificate) }) {
			return true
		}
	}
	return false
}

// signedBy reports whether a certificate was issued by another, by the same rule as the chain: an intermediate must not look
// unneeded because Go does not support its signature algorithm.
func signedBy(issuer, certificate *x509.Certificate) bool {
	return x509cert.Issued(issuer, certificate) && !x509cert.SelfSigned(certificate)
}
