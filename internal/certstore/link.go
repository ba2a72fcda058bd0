package certstore

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
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
// this ObservedCertificate's is left alone. held is the current certificate as it is in the store, nil if it comes with this
// plan.
func linksTo(desired Desired, current *x509.Certificate, held *Entry, observed Observed) []Action {
	if held != nil && !desired.owns(*held) {
		return nil // used, and not ours
	}
	successor := desired.successor(current, held)
	own := observed.own(desired.Ref, desired.Mark)
	known := []string{successor.thumbprint}
	for _, entry := range own {
		known = append(known, entry.Thumbprint)
	}
	slices.SortFunc(own, func(a, b Entry) int { return strings.Compare(a.Thumbprint, b.Thumbprint) })
	var actions []Action
	for _, entry := range own {
		target := ""
		if entry.Thumbprint != successor.thumbprint && desired.Link {
			if why, _ := successor.declines(entry); why == "" {
				target = successor.thumbprint
			}
		}
		if entry.Successor == target || (target == "" && !slices.Contains(known, entry.Successor)) {
			continue
		}
		actions = append(actions, &Link{Ref: desired.Ref, Thumbprint: entry.Thumbprint, Successor: target})
	}
	return actions
}

// owns reports whether a certificate is this ObservedCertificate's, or has lost its mark.
func (d Desired) owns(entry Entry) bool {
	if entry.Mark == nil {
		return entry.OwnKey
	}
	return entry.Mark.UID == d.Mark.UID
}

// DeclinedLink says why a version that is still valid is not linked to the current one, although linkOnRenewal asks for it.
type DeclinedLink struct {
	// Thumbprint and Version are those of the older version.
	Thumbprint, Version string
	// Why says what the current certificate lacks, and Do what to do about it.
	Why, Do string
}

// DeclinedLinks returns the links that linkOnRenewal asks for and that would cut off what uses the older version, by
// thumbprint. current is what is in the store. It is a pure function.
func DeclinedLinks(desired Desired, current Entry, observed Observed, now time.Time) []DeclinedLink {
	if !desired.Link || desired.Mark.Role != RoleLeaf || !desired.owns(current) || !current.ValidAt(now) {
		return nil
	}
	successor := desired.successor(current.Certificate, &current)
	var declined []DeclinedLink
	for _, entry := range observed.own(desired.Ref, desired.Mark) {
		if entry.Thumbprint == current.Thumbprint || entry.Key != KeyPresent || !entry.ValidAt(now) {
			continue
		}
		if why, do := successor.declines(entry); why != "" {
			declined = append(declined, DeclinedLink{entry.Thumbprint, entry.Mark.Version, why, do})
		}
	}
	slices.SortFunc(declined, func(a, b DeclinedLink) int { return strings.Compare(a.Thumbprint, b.Thumbprint) })
	return declined
}

// successor is a certificate that others may be linked to.
type successor struct {
	version
	thumbprint string
	access     string // who may use its key after the plan
}

// successor returns the current certificate as the target of links. held is the certificate as it is in the store, nil if it
// comes with this plan.
func (d Desired) successor(current *x509.Certificate, held *Entry) successor {
	s := successor{version: version{current, d.Mark.Created}, thumbprint: Thumbprint(current)}
	if held != nil && held.Mark != nil && d.Mark.Created == 0 {
		s.created = held.Mark.Created
	}
	s.access = d.AccessTo(s.thumbprint)
	if held != nil && (s.access == "" || d.AccessUnsettled) {
		s.access = held.Access
	}
	return s
}

// declines says why what uses a predecessor cannot be sent to the successor, and what to do, empty where it can: the successor is newer, has
// every name, and everyone who may use the predecessor's key may use its key. Schannel follows a link without asking any of
// this.
func (s successor) declines(predecessor Entry) (why, do string) {
	if compareVersions(s.version, versionOf(predecessor)) < 0 {
		return "it is newer than the current version", "move what uses it by hand, or follow the newest version again"
	}
	if missing := missingNames(s.certificate, predecessor.Certificate); len(missing) > 0 {
		return "the current version lacks " + listed(missing), "issue the certificate with every name, or move what uses the older version by hand"
	}
	if !AtLeastAsWide(s.access, predecessor.Access) {
		return "accounts that may use its private key may not use that of the current version", "give them access (spec.accounts), or move what uses the older version by hand"
	}
	return "", ""
}

// listed names a few, and counts the rest.
func listed(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more names", strings.Join(names[:most], ", "), len(names)-most)
}

// missingNames returns the names and addresses that a predecessor is good for and the current certificate is not.
func missingNames(current, predecessor *x509.Certificate) []string {
	var missing []string
	for _, name := range namesOf(predecessor) {
		if !covers(current, name) {
			missing = append(missing, name)
		}
	}
	for _, address := range predecessor.IPAddresses {
		if !slices.ContainsFunc(current.IPAddresses, address.Equal) {
			missing = append(missing, address.String())
		}
	}
	return missing
}

// namesOf returns the DNS names of a certificate; its common name stands in where it has none.
func namesOf(certificate *x509.Certificate) []string {
	if len(certificate.DNSNames) > 0 || certificate.Subject.CommonName == "" {
		return certificate.DNSNames
	}
	return []string{certificate.Subject.CommonName}
}

// covers reports whether a certificate is good for a name. Its common name counts beside its DNS names: whatever took the
// common name of the predecessor for a host name does the same with this one.
func covers(certificate *x509.Certificate, name string) bool {
	return coversName(certificate.Subject.CommonName, name) ||
		slices.ContainsFunc(certificate.DNSNames, func(other string) bool { return coversName(other, name) })
}

// coversName compares names as RFC 6125, section 6.4 does: without regard to case, and with a wildcard that stands for the
// whole first label.
func coversName(pattern, name string) bool {
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	_, domain, found := strings.Cut(name, ".")
	return pattern == name || found && pattern == "*."+domain
}
