package rollup

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/waves"
)

// notReportingAfter is how old a node's Lease may be before its agent counts as not reporting: three Lease periods.
const notReportingAfter = 3 * heartbeat.Period

// phase is what a node counts as for a certificate.
type phase uint8

const (
	installed phase = iota
	pending
	failed
)

// held is the certificate that a node has. The zero value is none.
type held struct {
	version, thumbprint string
	notAfter            int64 // Unix time, 0 where there is none
}

// nodeStatus is the status of a node for a certificate. It is comparable: nodes of equal status are counted together, and
// there are only as many different ones as versions and reasons.
type nodeStatus struct {
	phase  phase
	reason v1alpha1.Reason
	// stale is set where the node's report is missing or outdated: its Lease is too old, or its agent cannot write its report.
	stale bool
	// sync is the reason why polls fail on a node that has a certificate as the spec asks; empty where they succeed.
	sync v1alpha1.Reason
	// linkDeclined is set where linkOnRenewal did not link an older version.
	linkDeclined bool
	// uses has a letter for each entry of spec.usedBy: the state of a program on the node. Empty where none was reported.
	uses string
	// blocked is set where the startup taint keeps pods off the node until it has this certificate.
	blocked bool
	// wave is the number of its wave in a roll-out, 0 without waves.
	wave int
	held held
}

// evaluate returns the status of a node for a certificate, and when time alone will change it (zero for never). ok is false
// where the certificate does not target the node.
func evaluate(n *node, w *desired, now time.Time) (s nodeStatus, changes time.Time, ok bool) {
	runs, changes := n.runsAgent(now)
	if !runs || !w.selector.Matches(n.labels) {
		return nodeStatus{}, changes, false
	}
	entry, reported := n.entry(w.name)
	s = nodeStatus{held: heldOf(entry)}
	if w.rollout != nil {
		s.wave, _ = waves.Of(w.rollout, n.labels) // the API server checks selectors
	}
	deadline := n.renewed.Add(notReportingAfter)
	if n.renewed.IsZero() {
		deadline = latest(n.created, w.created).Add(notReportingAfter) // the time that a new node or certificate gets
	}
	s.stale = !now.Before(deadline) || !n.unwritten.IsZero()
	if !s.stale {
		changes = earliest(changes, deadline)
	}
	switch {
	case s.stale, !n.reported:
		s.phase, s.reason = pending, v1alpha1.ReasonAgentNotReporting
	case !reported || entry.Generation != w.generation:
		s.phase, s.reason = pending, v1alpha1.ReasonPending
	default:
		s.read(entry)
	}
	s.blocked = n.tainted && w.initialSync && s.phase != installed
	return s, changes, true
}

// read reads the entry of a node that has processed the current spec. An installed certificate stays installed, whatever the
// last polls returned.
//
// A reason that is not in the table counts as InternalError: conditions accept only well-formed reasons, and metrics only a
// few.
func (s *nodeStatus) read(entry v1alpha1.CertificateEntry) {
	if entry.Reason != "" || entry.State == v1alpha1.StateFailed {
		entry.Reason = entry.Reason.Info().Reason
	}
	s.uses = useLetters(entry.Uses)
	switch {
	case entry.State == v1alpha1.StateFailed:
		s.phase, s.reason = failed, entry.Reason
	case entry.State == v1alpha1.StateSuspended && entry.Thumbprint != "":
		s.phase, s.reason = installed, v1alpha1.ReasonSuspended
	case entry.State != v1alpha1.StateInstalled && entry.Reason != "":
		s.phase, s.reason = pending, entry.Reason
	case entry.State != v1alpha1.StateInstalled || entry.Thumbprint == "":
		s.phase, s.reason = pending, v1alpha1.ReasonPending
	case entry.Reason == v1alpha1.ReasonLinkDeclined:
		s.phase, s.reason, s.linkDeclined = installed, v1alpha1.ReasonInstalled, true
	case entry.Reason == v1alpha1.ReasonUseFailed:
		s.phase, s.reason = installed, v1alpha1.ReasonInstalled
	case entry.Reason == v1alpha1.ReasonSecretNotYetValid: // the next version is installed when it becomes valid
		s.phase, s.reason = installed, v1alpha1.ReasonInstalled
	default:
		s.phase, s.reason, s.sync = installed, v1alpha1.ReasonInstalled, entry.Reason
	}
}

// at returns the status as time and the other nodes change it. A certificate can expire. The current version is superseded when
// another node has a newer one, or the version watch has published another. Failing polls count as soon as the node needs the next
// version: near expiry, or when that version is known to exist.
func (s nodeStatus) at(now time.Time, expiringSoon time.Duration, wanted target) nodeStatus {
	switch {
	case s.phase != failed && s.held.expired(now):
		s.phase, s.reason = failed, v1alpha1.ReasonExpired
	case s.reason == v1alpha1.ReasonPending && s.wave > wanted.wave && s.held.version != "" && wanted.latest != "" && s.held.version != wanted.latest:
		s.reason = v1alpha1.ReasonWaitingForWave // with the certificate of another URL
	case s.reason != v1alpha1.ReasonInstalled: // not finished, failed or suspended
	case s.sync != "" && (!wanted.has(s.held) || s.held.expired(now.Add(expiringSoon))):
		s.phase, s.reason = phaseOf(s.sync), s.sync
	case !wanted.has(s.held) && s.wave > wanted.wave:
		s.phase, s.reason = pending, v1alpha1.ReasonWaitingForWave
	case !wanted.has(s.held):
		s.phase, s.reason = pending, v1alpha1.ReasonSuperseded
	}
	return s
}

// phaseOf returns the phase of a node that needs the next version and whose polls fail: failed where a person must act, as in
// the agents' reports.
func phaseOf(reason v1alpha1.Reason) phase {
	switch reason.Class() {
	case v1alpha1.ClassTerminal, v1alpha1.ClassWaiting:
		return failed
	case v1alpha1.ClassNone, v1alpha1.ClassTransient:
	}
	return pending
}

// pollsFail reports whether the node's polls fail while its certificate is valid: a renewal would not be installed.
func (s nodeStatus) pollsFail(now time.Time) bool { return s.sync != "" && !s.held.expired(now) }

// failing reports whether something is wrong, as opposed to not finished. A node that has never reported is only new at first.
func (s nodeStatus) failing() bool {
	switch {
	case s.phase == installed:
		return false
	case s.reason == v1alpha1.ReasonAgentNotReporting:
		return s.stale
	}
	return s.reason.Class() != v1alpha1.ClassNone
}

func heldOf(entry v1alpha1.CertificateEntry) held {
	h := held{version: entry.Version, thumbprint: entry.Thumbprint}
	if entry.NotAfter != nil {
		h.notAfter = entry.NotAfter.Unix()
	}
	return h
}

func (h held) expired(now time.Time) bool { return h.notAfter != 0 && h.notAfter <= now.Unix() }

// end returns the time of expiry, nil for none.
func (h held) end() *metav1.Time {
	if h.notAfter == 0 {
		return nil
	}
	return &metav1.Time{Time: time.Unix(h.notAfter, 0)}
}

// entry returns what the node reported about a certificate. The cache keeps entries sorted by name.
func (n *node) entry(name string) (v1alpha1.CertificateEntry, bool) {
	i, found := slices.BinarySearchFunc(n.entries, name, func(e v1alpha1.CertificateEntry, name string) int { return strings.Compare(e.Name, name) })
	if !found {
		return v1alpha1.CertificateEntry{}, false
	}
	return n.entries[i], true
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// earliest returns the earlier of two times; the zero time means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
