package certstore

import (
	"crypto/x509"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// planIntermediates installs the chain's certificates that are not there yet into CA of the same location. Self-signed
// roots go nowhere: whom the machine trusts is not for a certificate to decide. Expired ones go nowhere either: no client
// accepts a chain through one, and what a person has removed for that reason stays removed.
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

// intermediates returns the certificates of the chain that belong into CA.
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

// Companion is a certificate that belongs into a store together with another.
type Companion struct {
	Place
	// NotAfter is the end of its validity: after it, the companion is of no use, and nothing lacks it.
	NotAfter time.Time
}

// Companions returns what is to be in the stores together with the certificate that stands for all: intermediates of a leaf,
// and the other ones of several trusted.
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

// PlanUnneeded returns the removal of intermediates which Vaultpane has installed and by which no certificate in the stores
// of their location was issued, neither directly nor through another such. An expired one that others of the location stand in
// for is unneeded too. observed must hold every certificate of the stores in use, whoever put it there. kept holds the UIDs of
// the ObservedCertificates that want this node: an intermediate of one that has no certificate at the moment waits for it, and
// one of a bygone ObservedCertificate follows the deletion policy in its mark.
func PlanUnneeded(observed Observed, kept map[string]bool, now time.Time) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		if observed.hasUnreadable(ref.Location) {
			continue // which may need any of them
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

// serves tells whether an ObservedCertificate has a leaf in a location.
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

// NeededFrom returns the locations whose certificates may need what a location holds: a user sees the stores of the machine.
func NeededFrom(location Location) []Location {
	if location == LocalMachine {
		return []Location{LocalMachine, CurrentUser}
	}
	return []Location{location}
}

// hasUnreadable reports whether there is a certificate whose issuer is not known and which may need what a location holds.
func (o Observed) hasUnreadable(location Location) bool {
	for ref, entries := range o.Entries {
		if slices.Contains(NeededFrom(location), ref.Location) &&
			slices.ContainsFunc(entries, func(e Entry) bool { return len(e.Certificate.RawIssuer) == 0 }) {
			return true
		}
	}
	return false
}

// outlived reports whether a certificate has no use for an expired issuer: a valid certificate of the location issued it too (an
// authority whose certificate was renewed or cross-signed), or it is Vaultpane's own and has expired itself. A clock that is far
// ahead makes everything look expired: an issuer goes only while a leaf of Vaultpane's in the same location is valid.
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

// issuerStores are where Windows looks for issuers. AuthRoot shows in Root, and holds what Windows brings by itself.
var issuerStores = []string{StoreCA, storeRoot, "AuthRoot"}

// hasIssuer reports whether the stores of a location hold an issuer of a certificate that is suitable. A user sees the stores of
// the machine as well.
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

// signedBy reports whether a certificate was issued by another, by the rule by which the chain was made: what came along with a
// leaf must not look unneeded for a signature that Go does not verify.
func signedBy(issuer, certificate *x509.Certificate) bool {
	return x509cert.Issued(issuer, certificate) && !x509cert.SelfSigned(certificate)
}
