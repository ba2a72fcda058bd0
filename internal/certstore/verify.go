package certstore

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// Severity is the severity of a finding.
type Severity string

// Severities, the worst first.
const (
	// SeverityFailure means that a certificate, or one that is linked to it, does not work, or that its key is not safe.
	SeverityFailure Severity = "failure"
	// SeverityWarning means that something is often, but not always, wrong.
	SeverityWarning Severity = "warning"
	// SeverityNote means that something is useful to know.
	SeverityNote Severity = "note"
)

// Reason is the kind of a finding. Its values are stable.
type Reason string

// Reasons.
const (
	ReasonExpired       Reason = "Expired"
	ReasonKeyMissing    Reason = "KeyMissing"
	ReasonNotYetValid   Reason = "NotYetValid"
	ReasonKeyRights     Reason = "KeyRights"
	ReasonKeyOrphaned   Reason = "KeyOrphaned"
	ReasonLinkBroken    Reason = "LinkBroken"
	ReasonLinkCycle     Reason = "LinkCycle"
	ReasonMarkUnknown   Reason = "MarkUnknown"
	ReasonMarkLost      Reason = "MarkLost"
	ReasonIssuerMissing Reason = "IssuerMissing"
	ReasonExpiringSoon  Reason = "ExpiringSoon"
	ReasonLinkDeclined  Reason = "LinkDeclined"
	ReasonUnneeded      Reason = "IntermediateUnneeded"
)

// worstFirst orders reasons of the same severity.
var worstFirst = []Reason{
	ReasonExpired, ReasonKeyMissing, ReasonNotYetValid, ReasonKeyRights, ReasonKeyOrphaned, ReasonLinkBroken, ReasonLinkCycle,
	ReasonMarkUnknown, ReasonMarkLost, ReasonIssuerMissing, ReasonExpiringSoon, ReasonLinkDeclined, ReasonUnneeded,
}

// Finding is one result about one certificate.
type Finding struct {
	// Ref and Thumbprint identify the certificate.
	Ref        Ref
	Thumbprint string
	// Owner is the name of its ObservedCertificate, empty without a valid mark.
	Owner string
	// Severity is the finding's severity.
	Severity Severity
	// Reason is the finding's kind.
	Reason Reason
	// Message says what is wrong, and Remedy what to do.
	Message, Remedy string
}

// soon is the time before expiry in which a certificate has a note.
const soon = 30 * 24 * time.Hour

// Verify returns what is wrong with Vaultpane's certificates, by severity, reason, store and thumbprint. entries must contain every
// certificate of every store of the machine. Certificates of other tools have no findings; they count as issuers and as users of
// intermediates. It is a pure function.
func Verify(entries map[Ref][]Entry, now time.Time) []Finding {
	v := verification{observed: Observed{Entries: entries}, now: now}
	for _, ref := range v.observed.refs() {
		needed := v.observed.issuersIn(ref.Location, now)
		for _, entry := range entries[ref] {
			if !entry.Ours() {
				continue
			}
			v.ref, v.entry = ref, entry
			v.superseded = v.isSuperseded()
			v.checkMark()
			if entry.role() == RoleIntermediate && !needed[entry.Thumbprint] {
				v.find(SeverityNote, ReasonUnneeded, "this intermediate has issued no certificate in "+string(ref.Location),
					"nothing: the agent removes it at one of its next store checks, unless its ObservedCertificate was deleted with deletionPolicy Retain")
				continue // its validity does not matter
			}
			v.checkValidity()
			v.checkKey()
			v.checkLink()
			v.checkIssuer()
		}
	}
	return WorstFirst(v.findings)
}

// WorstFirst sorts findings by severity, reason, store and thumbprint.
func WorstFirst(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(weight[a.Severity], weight[b.Severity]),
			cmp.Compare(slices.Index(worstFirst, a.Reason), slices.Index(worstFirst, b.Reason)), strings.Compare(a.Ref.String(), b.Ref.String()),
			strings.Compare(a.Owner, b.Owner), strings.Compare(a.Thumbprint, b.Thumbprint), strings.Compare(a.Message, b.Message))
	})
	return findings
}

// OrphanedKeyFindings returns a finding for each private key of Store.OrphanedKeys.
func OrphanedKeyFindings(location Location, keys []string) []Finding {
	findings := make([]Finding, 0, len(keys))
	for _, key := range keys {
		findings = append(findings, Finding{
			Ref: Ref{Location: location}, Severity: SeverityFailure, Reason: ReasonKeyOrphaned,
			Message: "the private key " + key + " has no certificate: an agent was stopped between writing or deleting the two",
			Remedy:  "run the agent, which removes the key at its next store check",
		})
	}
	return findings
}

var weight = map[Severity]int{SeverityFailure: 0, SeverityWarning: 1, SeverityNote: 2}

// verification visits the certificates. The fields after findings are about the current one.
type verification struct {
	observed Observed
	now      time.Time
	findings []Finding

	ref        Ref
	entry      Entry
	superseded bool // a newer usable version of the same ObservedCertificate is in the store
}

func (v *verification) find(severity Severity, reason Reason, message, remedy string) {
	finding := Finding{Ref: v.ref, Thumbprint: v.entry.Thumbprint, Severity: severity, Reason: reason, Message: message, Remedy: remedy}
	if v.entry.Mark != nil {
		finding.Owner = v.entry.Mark.Name
	}
	v.findings = append(v.findings, finding)
}

// milder returns a severity, or another one for a superseded version, which is not in use any more.
func (v *verification) milder(severity, superseded Severity) Severity {
	if v.superseded {
		return superseded
	}
	return severity
}

func (v *verification) isSuperseded() bool {
	mark := v.entry.Mark
	if mark == nil || mark.Role == RoleIntermediate {
		return false
	}
	return slices.ContainsFunc(v.observed.own(v.ref, *mark), func(other Entry) bool {
		return other.Mark.Version != mark.Version && CompareVersions(other, v.entry) > 0 &&
			validAt(other.Certificate, v.now) && (mark.Role == RoleTrusted || other.Key == KeyPresent)
	})
}

func (v *verification) checkMark() {
	switch {
	case v.entry.UnknownMark:
		v.find(SeverityFailure, ReasonMarkUnknown, "its mark has the format of another version of Vaultpane or is damaged, so the agent does not change the certificate",
			"upgrade the agent on this node; if it is up to date, remove the certificate, and the agent installs it again")
	case v.entry.Mark == nil:
		v.find(SeverityFailure, ReasonMarkLost, "its key is Vaultpane's and its mark is missing, so it is unowned and never removed",
			"run the agent, which restores the mark of the current version; remove the certificate if it is not the current version")
	}
}

func (v *verification) checkValidity() {
	from, to := v.entry.Certificate.NotBefore, v.entry.Certificate.NotAfter
	switch {
	case v.now.After(to) && v.superseded:
		v.find(SeverityNote, ReasonExpired, "this superseded version expired on "+day(to), "nothing; spec.revisionHistoryLimit limits how many such versions are kept")
	case v.now.After(to):
		v.find(SeverityFailure, ReasonExpired, "it expired on "+day(to), v.pinned("renew it in the vault, or delete its ObservedCertificate"))
	case v.now.Before(from):
		v.find(SeverityFailure, ReasonNotYetValid, "it is not valid before "+day(from), "wait, or check the node's clock")
	case to.Sub(v.now) < soon && !v.superseded:
		v.find(SeverityNote, ReasonExpiringSoon, "it expires on "+day(to), v.pinned("make sure that it is renewed in the vault; the agent then installs the new version"))
	}
}

// pinned returns what to do about a certificate near expiry: remedy, or how to unpin its URL.
func (v *verification) pinned(remedy string) string {
	if v.entry.Mark == nil || !v.entry.Mark.Pinned {
		return remedy
	}
	return "spec.url names this version (" + v.entry.Mark.Version + "), so newer versions are not installed: remove the version from the URL to follow the newest, or name a newer version"
}

func (v *verification) checkKey() {
	if v.entry.Mark != nil && v.entry.Mark.Role != RoleLeaf {
		return
	}
	if v.entry.Key != KeyPresent {
		v.find(v.milder(SeverityFailure, SeverityWarning), ReasonKeyMissing, "its private key is missing or cannot be opened",
			"run the agent, which fetches the key of the current version again; remove the certificate if it is not the current version")
		return
	}
	if !v.entry.OwnKey {
		return // another tool's key: its access list is not Vaultpane's
	}
	if failure := accessFailure(v.ref.Location, v.entry.Access); failure != "" {
		v.find(SeverityFailure, ReasonKeyRights, failure,
			"find out what changed the access list; for the current version the agent restores it from spec.accounts")
	}
}

func (v *verification) checkLink() {
	successor := v.entry.Successor
	if successor == "" {
		v.checkUnlinked()
		return
	}
	if v.inCycle() {
		v.find(SeverityFailure, ReasonLinkCycle, "its link is part of a link cycle, so Windows finds no current certificate",
			"run the agent, which repairs links between versions of one ObservedCertificate; if that does not help, remove this certificate")
		return
	}
	var state string
	switch target := v.observed.find(v.ref, successor); {
	case target == nil:
		state = "is not in the store"
	case target.Key != KeyPresent:
		state = "has no usable private key"
	case !validAt(target.Certificate, v.now):
		state = "is not valid now"
	default:
		return
	}
	v.find(SeverityFailure, ReasonLinkBroken, "it is linked to "+successor+", which "+state+"; Windows uses the linked certificate in its place regardless",
		"run the agent, which restores the current version and its links; if that does not help, remove this certificate")
}

// checkUnlinked finds why linkOnRenewal would not link a superseded version that is still valid to the newest one.
func (v *verification) checkUnlinked() {
	mark := v.entry.Mark
	if !v.superseded || mark.Role != RoleLeaf || !v.entry.ValidAt(v.now) {
		return
	}
	newest := slices.MaxFunc(v.observed.own(v.ref, *mark), CompareVersions)
	desired := Desired{Mark: *newest.Mark, Ref: v.ref, Link: true}
	for _, declined := range DeclinedLinks(desired, newest, v.observed, v.now) {
		if declined.Thumbprint == v.entry.Thumbprint {
			v.find(SeverityNote, ReasonLinkDeclined, "linkOnRenewal does not link this older version to "+newest.Thumbprint+": "+declined.Reason,
				"nothing, if no program uses this version any more; otherwise "+declined.Remedy)
		}
	}
}

// inCycle reports whether following the links from a certificate leads back to it.
func (v *verification) inCycle() bool {
	seen := map[string]bool{}
	for next := v.entry.Successor; next != "" && !seen[next]; {
		if next == v.entry.Thumbprint {
			return true
		}
		seen[next] = true
		target := v.observed.find(v.ref, next)
		if target == nil {
			return false
		}
		next = target.Successor
	}
	return false
}

// checkIssuer looks for the issuer in the machine's stores, and for a user in the user's stores too.
func (v *verification) checkIssuer() {
	leaf := v.entry.Certificate
	if v.superseded || v.entry.Mark != nil && v.entry.Mark.Role != RoleLeaf || x509cert.SelfSigned(leaf) {
		return
	}
	if v.observed.hasIssuer(leaf, v.ref.Location, func(*x509.Certificate) bool { return true }) {
		return
	}
	v.find(SeverityWarning, ReasonIssuerMissing, fmt.Sprintf("its issuer %q is neither in CA nor in Root, so servers may send clients an incomplete chain", leaf.Issuer.String()),
		"import the certificate into the vault with its whole chain, or install the issuer on the nodes (docs/trusted-roots.md)")
}

// Ours reports whether a certificate is Vaultpane's: by its mark, or by the place of its key.
func (e Entry) Ours() bool { return e.Mark != nil || e.UnknownMark || e.OwnKey }

func (e Entry) role() Role {
	if e.Mark == nil {
		return ""
	}
	return e.Mark.Role
}

func day(at time.Time) string { return at.UTC().Format(time.RFC3339) }
