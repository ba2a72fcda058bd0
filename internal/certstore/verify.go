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

// Severity says how much a finding matters.
type Severity string

// Severities, the worst first.
const (
	// SeverityFailure is the severity of what keeps a certificate, or who is linked to it, from working, or its key from
	// being safe.
	SeverityFailure Severity = "failure"
	// SeverityWarning is the severity of what can be right, and often is not.
	SeverityWarning Severity = "warning"
	// SeverityNote is the severity of what is good to know.
	SeverityNote Severity = "note"
)

// Problem names a kind of finding. The names are stable.
type Problem string

// Problems.
const (
	ProblemExpired       Problem = "Expired"
	ProblemKeyMissing    Problem = "KeyMissing"
	ProblemNotYetValid   Problem = "NotYetValid"
	ProblemKeyRights     Problem = "KeyRights"
	ProblemKeyOrphaned   Problem = "KeyOrphaned"
	ProblemLinkBroken    Problem = "LinkBroken"
	ProblemLinkCircle    Problem = "LinkCircle"
	ProblemMarkUnknown   Problem = "MarkUnknown"
	ProblemMarkLost      Problem = "MarkLost"
	ProblemIssuerMissing Problem = "IssuerMissing"
	ProblemExpiringSoon  Problem = "ExpiringSoon"
	ProblemLinkDeclined  Problem = "LinkDeclined"
	ProblemUnneeded      Problem = "IntermediateUnneeded"
)

// worstFirst orders problems of the same severity.
var worstFirst = []Problem{
	ProblemExpired, ProblemKeyMissing, ProblemNotYetValid, ProblemKeyRights, ProblemKeyOrphaned, ProblemLinkBroken, ProblemLinkCircle,
	ProblemMarkUnknown, ProblemMarkLost, ProblemIssuerMissing, ProblemExpiringSoon, ProblemLinkDeclined, ProblemUnneeded,
}

// Finding is one thing about one certificate that is not as it should be.
type Finding struct {
	// Ref and Thumbprint say which certificate.
	Ref        Ref
	Thumbprint string
	// Owner is the name of its ObservedCertificate, empty where the mark does not tell.
	Owner string
	// Severity says how much it matters.
	Severity Severity
	// Problem says which kind it is.
	Problem Problem
	// What says what is wrong, and Do what to do about it.
	What, Do string
}

// soon is the time before its end in which a certificate is worth a note.
const soon = 30 * 24 * time.Hour

// Verify returns what is wrong with the certificates that are Vaultpane's, by severity, problem, store and thumbprint. entries must
// hold every certificate of every store of the machine, whoever put it there. What others have put there is nobody's to
// judge here; it counts as issuer and as what needs an intermediate. It is a pure function.
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
				v.find(SeverityNote, ProblemUnneeded, "no certificate of "+string(ref.Location)+" was issued by this intermediate",
					"nothing: the agent removes it at one of its next checks, unless its ObservedCertificate is gone and had deletionPolicy Retain")
				continue // whether it is valid matters to nobody
			}
			v.checkValidity()
			v.checkKey()
			v.checkLink()
			v.checkIssuer()
		}
	}
	return WorstFirst(v.findings)
}

// WorstFirst sorts findings by severity, problem, store and thumbprint.
func WorstFirst(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(weight[a.Severity], weight[b.Severity]),
			cmp.Compare(slices.Index(worstFirst, a.Problem), slices.Index(worstFirst, b.Problem)), strings.Compare(a.Ref.String(), b.Ref.String()),
			strings.Compare(a.Owner, b.Owner), strings.Compare(a.Thumbprint, b.Thumbprint), strings.Compare(a.What, b.What))
	})
	return findings
}

// OrphanedKeyFindings returns a finding for each private key of Store.OrphanedKeys.
func OrphanedKeyFindings(location Location, keys []string) []Finding {
	findings := make([]Finding, 0, len(keys))
	for _, key := range keys {
		findings = append(findings, Finding{
			Ref: Ref{Location: location}, Severity: SeverityFailure, Problem: ProblemKeyOrphaned,
			What: "the private key " + key + " belongs to no certificate: an agent was stopped between the two",
			Do:   "run the agent, which removes it at its next check of the store",
		})
	}
	return findings
}

var weight = map[Severity]int{SeverityFailure: 0, SeverityWarning: 1, SeverityNote: 2}

// verification is a walk through the certificates. The rest of the fields are about the one that it has come to.
type verification struct {
	observed Observed
	now      time.Time
	findings []Finding

	ref        Ref
	entry      Entry
	superseded bool // a newer version of the same ObservedCertificate is there and of use
}

func (v *verification) find(severity Severity, problem Problem, what, do string) {
	finding := Finding{Ref: v.ref, Thumbprint: v.entry.Thumbprint, Severity: severity, Problem: problem, What: what, Do: do}
	if v.entry.Mark != nil {
		finding.Owner = v.entry.Mark.Name
	}
	v.findings = append(v.findings, finding)
}

// milder returns a severity, or another for a version that has been superseded: nothing depends on it any more.
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
		v.find(SeverityFailure, ProblemMarkUnknown, "its mark is of another version of Vaultpane, or damaged, so it is left alone",
			"upgrade the agent on this node; if its version is the newest, remove the certificate, and it is installed anew")
	case v.entry.Mark == nil:
		v.find(SeverityFailure, ProblemMarkLost, "its key is Vaultpane's and its mark is gone, so it is nobody's and never removed",
			"run the agent, which marks it again while it is the current version; remove it by hand if it is not")
	}
}

func (v *verification) checkValidity() {
	from, to := v.entry.Certificate.NotBefore, v.entry.Certificate.NotAfter
	switch {
	case v.now.After(to) && v.superseded:
		v.find(SeverityNote, ProblemExpired, "this superseded version expired on "+day(to), "nothing; spec.revisionHistoryLimit says how many such versions stay")
	case v.now.After(to):
		v.find(SeverityFailure, ProblemExpired, "it expired on "+day(to), v.pinned("renew it in the vault, or delete its ObservedCertificate"))
	case v.now.Before(from):
		v.find(SeverityFailure, ProblemNotYetValid, "it is not valid before "+day(from), "wait, or compare the node's clock with the right time")
	case to.Sub(v.now) < soon && !v.superseded:
		v.find(SeverityNote, ProblemExpiringSoon, "it expires on "+day(to), v.pinned("see that it is renewed in the vault; the agent installs the new version by itself"))
	}
}

// pinned returns what to do about a certificate near its end, which is something else where no newer version can follow.
func (v *verification) pinned(todo string) string {
	if v.entry.Mark == nil || !v.entry.Mark.Pinned {
		return todo
	}
	return "spec.url names this version (" + v.entry.Mark.Version + "), so a newer one is not installed: remove the version from the URL to follow the newest, or name a newer one"
}

func (v *verification) checkKey() {
	if v.entry.Mark != nil && v.entry.Mark.Role != RoleLeaf {
		return
	}
	if v.entry.Key != KeyPresent {
		v.find(v.milder(SeverityFailure, SeverityWarning), ProblemKeyMissing, "its private key is missing or cannot be opened",
			"run the agent, which fetches the current version's key again; remove the certificate if it is not the current one")
		return
	}
	if !v.entry.OwnKey {
		return // someone else's key: its rights are not Vaultpane's
	}
	if fault := accessFault(v.ref.Location, v.entry.Access); fault != "" {
		v.find(SeverityFailure, ProblemKeyRights, fault,
			"find what changed the key's rights; for the current version the agent writes them anew, as spec.accounts says")
	}
}

func (v *verification) checkLink() {
	successor := v.entry.Successor
	if successor == "" {
		v.checkUnlinked()
		return
	}
	if v.comesBack() {
		v.find(SeverityFailure, ProblemLinkCircle, "its link leads back to itself, so whoever follows it never arrives",
			"run the agent, which corrects links between versions of one ObservedCertificate; remove this certificate if that does not help")
		return
	}
	var what string
	switch target := v.observed.find(v.ref, successor); {
	case target == nil:
		what = "is not in the store"
	case target.Key != KeyPresent:
		what = "has no private key that opens"
	case !validAt(target.Certificate, v.now):
		what = "is not valid now"
	default:
		return
	}
	v.find(SeverityFailure, ProblemLinkBroken, "it is linked to "+successor+", which "+what+": Windows serves that one in its place all the same",
		"run the agent, which brings the current version and its links back; else remove this certificate")
}

// checkUnlinked says of a superseded version that is still valid why linkOnRenewal would not link it to the newest.
func (v *verification) checkUnlinked() {
	mark := v.entry.Mark
	if !v.superseded || mark.Role != RoleLeaf || !v.entry.ValidAt(v.now) {
		return
	}
	newest := slices.MaxFunc(v.observed.own(v.ref, *mark), CompareVersions)
	desired := Desired{Mark: *newest.Mark, Ref: v.ref, Link: true}
	for _, declined := range DeclinedLinks(desired, newest, v.observed, v.now) {
		if declined.Thumbprint == v.entry.Thumbprint {
			v.find(SeverityNote, ProblemLinkDeclined, "linkOnRenewal does not link this older version to "+newest.Thumbprint+": "+declined.Why,
				"nothing, if nothing uses this version any more; else "+declined.Do)
		}
	}
}

// comesBack tells whether following the links from a certificate leads back to it.
func (v *verification) comesBack() bool {
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

// checkIssuer looks for the issuer in the machine's stores; a user sees those beside the own ones.
func (v *verification) checkIssuer() {
	leaf := v.entry.Certificate
	if v.superseded || v.entry.Mark != nil && v.entry.Mark.Role != RoleLeaf || x509cert.SelfSigned(leaf) {
		return
	}
	if v.observed.hasIssuer(leaf, v.ref.Location, func(*x509.Certificate) bool { return true }) {
		return
	}
	v.find(SeverityWarning, ProblemIssuerMissing, fmt.Sprintf("its issuer %q is neither in CA nor in Root, so clients may get an incomplete chain", leaf.Issuer.String()),
		"import the certificate into the vault with its whole chain, or give the nodes the issuer (docs/trusted-roots.md)")
}

// Ours tells whether a certificate is Vaultpane's: by its mark, or by where its key is.
func (e Entry) Ours() bool { return e.Mark != nil || e.UnknownMark || e.OwnKey }

func (e Entry) role() Role {
	if e.Mark == nil {
		return ""
	}
	return e.Mark.Role
}

func day(at time.Time) string { return at.UTC().Format(time.RFC3339) }
