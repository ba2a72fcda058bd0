package certstore

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

// planLinks links the predecessors of the desired certificate to it.
func planLinks(desired Desired, observed Observed) []Action {
	if desired.Mark.Role != RoleLeaf {
		return nil
	}
	leaf := desired.Bundle.Leaf
	return linksTo(desired, leaf, observed.find(desired.Ref, Thumbprint(leaf)), observed)
}

// linksTo returns the changes of links between the versions of one ObservedCertificate in one store. Each predecessor links
// directly to the current certificate, so no chain of links can break. The current one, which may have been superseded before a
// roll-back, has no link, so there is no cycle. A link from or to a certificate of another owner is not changed. held is the
// current certificate in the store, nil if this plan installs it.
func linksTo(desired Desired, current *x509.Certificate, held *Entry, observed Observed) []Action {
	if held != nil && !desired.owns(*held) {
		return nil // used, and another owner's
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
			if reason, _ := successor.declines(entry); reason == "" {
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

// DeclinedLink is a version that is still valid and is not linked to the current one despite linkOnRenewal.
type DeclinedLink struct {
	// Thumbprint and Version are those of the older version.
	Thumbprint, Version string
	// Reason says why the link would break its users, and Remedy what to do.
	Reason, Remedy string
}

// DeclinedLinks returns the links that linkOnRenewal asks for and that would break users of the older version, sorted by
// thumbprint. current is the current certificate in the store. It is a pure function.
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
		if reason, remedy := successor.declines(entry); reason != "" {
			declined = append(declined, DeclinedLink{entry.Thumbprint, entry.Mark.Version, reason, remedy})
		}
	}
	slices.SortFunc(declined, func(a, b DeclinedLink) int { return strings.Compare(a.Thumbprint, b.Thumbprint) })
	return declined
}

// successor is a certificate that others may be linked to.
type successor struct {
	version
	thumbprint string
	access     string // the access list of its key after the plan
	rolledBack bool   // newer versions must not be used
}

// successor returns the current certificate as the target of links. held is that certificate in the store, nil if this plan
// installs it.
func (d Desired) successor(current *x509.Certificate, held *Entry) successor {
	s := successor{version: version{current, d.Mark.Created}, thumbprint: Thumbprint(current), rolledBack: d.RolledBack}
	if held != nil && held.Mark != nil && d.Mark.Created == 0 {
		s.created = held.Mark.Created
	}
	s.access = d.AccessTo(s.thumbprint)
	if held != nil && (s.access == "" || d.AccessIncomplete) {
		s.access = held.Access
	}
	return s
}

// declines returns why a predecessor must not be linked to the successor, and what to do; empty if it may: the successor is
// newer or replaces one that must not be used, has every name, and grants access to every account that the predecessor's key grants access to. Schannel follows a
// link without checking any of this.
func (s successor) declines(predecessor Entry) (reason, remedy string) {
	if !s.rolledBack && compareVersions(s.version, versionOf(predecessor)) < 0 {
		return "it is newer than the current version", "switch the programs that use it, or follow the newest version again"
	}
	if missing := missingNames(s.certificate, predecessor.Certificate); len(missing) > 0 {
		return "the current version lacks " + listed(missing), "issue the certificate with every name, or switch the programs that use the older version"
	}
	if !AtLeastAsWide(s.access, predecessor.Access) {
		return "accounts that may use its private key may not use that of the current version", "grant them access (spec.accounts), or switch the programs that use the older version"
	}
	return "", ""
}

// listed names at most three, and counts the rest.
func listed(names []string) string {
	const most = 3
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more names", strings.Join(names[:most], ", "), len(names)-most)
}

// missingNames returns the names and addresses of a predecessor that the current certificate does not have.
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

// namesOf returns the DNS names of a certificate, or its common name if it has none.
func namesOf(certificate *x509.Certificate) []string {
	if len(certificate.DNSNames) > 0 || certificate.Subject.CommonName == "" {
		return certificate.DNSNames
	}
	return []string{certificate.Subject.CommonName}
}

// covers reports whether a certificate is valid for a name. Its common name counts in addition to its DNS names: a client that
// accepted the common name of the predecessor accepts that of this one.
func covers(certificate *x509.Certificate, name string) bool {
	return coversName(certificate.Subject.CommonName, name) ||
		slices.ContainsFunc(certificate.DNSNames, func(other string) bool { return coversName(other, name) })
}

// coversName compares names as in RFC 6125, section 6.4: without regard to case, and with a wildcard for the whole first label.
func coversName(pattern, name string) bool {
	pattern, name = strings.ToLower(pattern), strings.ToLower(name)
	_, domain, found := strings.Cut(name, ".")
	return pattern == name || found && pattern == "*."+domain
}
