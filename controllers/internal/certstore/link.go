package certstore

import (
	"crypto/x509"
	"slices"
	"strings"
)

// planLinks links the predecessors of the wanted certificate to it.
func planLinks(desired Desired, observed Observed) []Action {
	if desired.Mark.Role != RoleLeaf {
		return nil
	}
	leaf := desired.Bundle.Leaf
	return linksTo(desired, leaf, observed.find(desired.Ref, Thumbprint(leaf)), observed)
}

// linksTo returns the changes of links between the versions of one ObservedCertificate in one store: each predecessor points
// to the current certificate itself, so that no chain of links can lose its end, and the current one, which may have been
// superseded before a roll-back, points nowhere: no circle can arise. A link between two certificates of which one is not
// this ObservedCertificate's is nobody's to change. held is the current certificate as it is in the store, nil if it comes
// with this plan.
func linksTo(desired Desired, current *x509.Certificate, held *Entry, observed Observed) []Action {
	if held != nil && (held.Mark == nil && !held.OwnKey || held.Mark != nil && held.Mark.UID != desired.Mark.UID) {
		return nil // used, and not ours
	}
	thumbprint := Thumbprint(current)
	own := observed.own(desired.Ref, desired.Mark)
	known := []string{thumbprint}
	for _, entry := range own {
		known = append(known, entry.Thumbprint)
	}
	slices.SortFunc(own, func(a, b Entry) int { return strings.Compare(a.Thumbprint, b.Thumbprint) })
	var actions []Action
	for _, entry := range own {
		successor := ""
		if entry.Thumbprint != thumbprint && desired.Link && follows(current, accessOf(desired, held), entry) {
			successor = thumbprint
		}
		if entry.Successor == successor || (successor == "" && !slices.Contains(known, entry.Successor)) {
			continue
		}
		actions = append(actions, &Link{Ref: desired.Ref, Thumbprint: entry.Thumbprint, Successor: successor})
	}
	return actions
}

// accessOf returns who may use the key of the current certificate after the plan.
func accessOf(desired Desired, held *Entry) string {
	if held != nil && (desired.Access == "" || desired.AccessUnsettled) {
		return held.Access
	}
	return desired.Access
}

// follows tells whether whoever uses a predecessor can be sent to the current certificate: it is younger, has every name,
// and its key may be used by everyone who may use the predecessor's. Schannel follows a link without asking any of this.
func follows(current *x509.Certificate, access string, predecessor Entry) bool {
	return predecessor.Certificate.NotBefore.Before(current.NotBefore) &&
		coversNames(current, predecessor.Certificate) &&
		AtLeastAsWide(access, predecessor.Access)
}

// coversNames tells whether a certificate is good for every host that another is good for.
func coversNames(current, predecessor *x509.Certificate) bool {
	for _, name := range namesOf(predecessor) {
		if !slices.ContainsFunc(namesOf(current), func(other string) bool { return coversName(other, name) }) {
			return false
		}
	}
	for _, address := range predecessor.IPAddresses {
		if !slices.ContainsFunc(current.IPAddresses, address.Equal) {
			return false
		}
	}
	return true
}

// namesOf returns the DNS names of a certificate; its common name stands in where it has none.
func namesOf(certificate *x509.Certificate) []string {
	if len(certificate.DNSNames) > 0 || certificate.Subject.CommonName == "" {
		return certificate.DNSNames
	}
	return []string{certificate.Subject.CommonName}
}

// coversName compares names as RFC 6125, section 6.4 does: without regard to case, and with a wildcard that stands for the
// whole first label.
func coversName(pattern, name string) bool {
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	_, domain, found := strings.Cut(name, ".")
	return pattern == name || found && pattern == "*."+domain
}
