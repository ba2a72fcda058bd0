package certstore

import (
	"crypto/x509"

	"github.com/vaultpane/vaultpane/controllers/internal/bundle"
)

// planIntermediates installs the chain's certificates that are not there yet into CA of the same location. Self-signed
// roots go nowhere: whom the machine trusts is not for a certificate to decide.
func planIntermediates(desired Desired, observed Observed) []Action {
	ca := Ref{Location: desired.Ref.Location, Name: StoreCA}
	mark := desired.Mark
	mark.Role, mark.Exportable, mark.Provider = RoleIntermediate, false, ""
	var actions []Action
	for _, certificate := range desired.intermediates() {
		if observed.find(ca, Thumbprint(certificate)) == nil {
			actions = append(actions, &Install{Ref: ca, Item: Item{Certificate: certificate, Mark: mark}})
		}
	}
	return actions
}

// intermediates returns the certificates of the chain that belong into CA.
func (d Desired) intermediates() []*x509.Certificate {
	var certificates []*x509.Certificate
	for _, certificate := range d.Bundle.Chain {
		if certificate.IsCA && !selfSigned(certificate) {
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

// Beside returns what is to be in the stores beside the certificate that stands for all: intermediates of a leaf, and the
// other ones of several trusted.
func (d Desired) Beside() []Place {
	var places []Place
	if d.Mark.Role == RoleTrusted {
		for _, certificate := range d.Trusted[1:] {
			places = append(places, Place{d.Ref, Thumbprint(certificate)})
		}
		return places
	}
	for _, certificate := range d.intermediates() {
		places = append(places, Place{Ref{d.Ref.Location, StoreCA}, Thumbprint(certificate)})
	}
	return places
}

// PlanUnneeded returns the removal of intermediates which Vaultpane has installed and by which no certificate in the stores
// of their location was issued, neither directly nor through another such. observed must hold every certificate of the
// stores in use, whoever put it there. kept holds the UIDs of the ObservedCertificates that want this node: an intermediate
// of one that has no certificate at the moment waits for it, and one of a bygone ObservedCertificate follows the deletion
// policy in its mark.
func PlanUnneeded(observed Observed, kept map[string]bool) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		needed := observed.issuersIn(ref.Location)
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
func (o Observed) issuersIn(location Location) map[string]bool {
	var unsettled []Entry
	var needing []*x509.Certificate
	for ref, entries := range o.Entries {
		for _, entry := range entries {
			switch {
			case ref.Location != location:
			case entry.Mark != nil && entry.Mark.Role == RoleIntermediate:
				unsettled = append(unsettled, entry)
			default:
				needing = append(needing, entry.Certificate)
			}
		}
	}
	needed := map[string]bool{}
	for len(needing) > 0 {
		certificate := needing[0]
		needing = needing[1:]
		for _, entry := range unsettled {
			if !needed[entry.Thumbprint] && signedBy(entry.Certificate, certificate) {
				needed[entry.Thumbprint] = true
				needing = append(needing, entry.Certificate)
			}
		}
	}
	return needed
}

// signedBy tells whether a certificate was issued by another, by the rule by which the chain was made: what came along with a
// leaf must not look unneeded for a signature that Go does not verify.
func signedBy(issuer, certificate *x509.Certificate) bool {
	return !selfSigned(certificate) && bundle.Issued(issuer, certificate)
}
