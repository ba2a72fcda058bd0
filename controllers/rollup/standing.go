package rollup

import (
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
)

// silentAfter is how long a node may give no sign of life before it counts as not reporting: three Lease periods.
const silentAfter = 3 * heartbeat.Period

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

// standing is how a node stands with a certificate. It is comparable: nodes that stand the same are counted together, and
// there are only as many different standings as versions and reasons.
type standing struct {
	phase  phase
	reason v1alpha1.Reason
	// late is set on a node whose report is missing or old: it gave no sign of life for too long, or cannot write its report.
	late bool
	// sync is why the polls of a node fail that has a certificate as the spec wants it; empty where they succeed.
	sync v1alpha1.Reason
	// declined is set where linkOnRenewal did not link an older version.
	declined bool
	// kept is set on a node that the startup taint keeps from work until it has this certificate.
	kept bool
	held held
}

// judge says how a node stands with a certificate, and when time alone will change that (zero for never). ok is false where
// the certificate is not for this node.
func judge(n *node, w *wish, now time.Time) (s standing, changes time.Time, ok bool) {
	runs, changes := n.runsAgent(now)
	if !runs || !w.selector.Matches(n.labels) {
		return standing{}, changes, false
	}
	entry, reported := n.entry(w.name)
	s = standing{held: heldOf(entry)}
	deadline := n.renewed.Add(silentAfter)
	if n.renewed.IsZero() {
		deadline = latest(n.created, w.created).Add(silentAfter) // a new node, or a new certificate, has that long
	}
	s.late = !now.Before(deadline) || !n.unwritten.IsZero()
	if !s.late {
		changes = earliest(changes, deadline)
	}
	switch {
	case s.late, !n.reported:
		s.phase, s.reason = pending, v1alpha1.ReasonAgentNotReporting
	case !reported || entry.Generation != w.generation:
		s.phase, s.reason = pending, v1alpha1.ReasonPending
	default:
		s.take(entry)
	}
	s.kept = n.tainted && w.initialSync && s.phase != installed
	return s, changes, true
}

// take reads the entry of a node that acted on the spec as it is. What is in place stays installed whatever the last polls said.
//
// A reason that is not in the table is an InternalError: a condition takes only a well-formed one, a metric only a few.
func (s *standing) take(entry v1alpha1.CertificateEntry) {
	if entry.Reason != "" || entry.State == v1alpha1.StateFailed {
		entry.Reason = entry.Reason.Info().Reason
	}
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
		s.phase, s.reason, s.declined = installed, v1alpha1.ReasonInstalled, true
	case entry.Reason == v1alpha1.ReasonSecretNotYetValid: // the successor has its time, and comes then
		s.phase, s.reason = installed, v1alpha1.ReasonInstalled
	default:
		s.phase, s.reason, s.sync = installed, v1alpha1.ReasonInstalled, entry.Reason
	}
}

// at is the standing as time and the other nodes make it. A certificate can expire where it is. One that was current is not any
// more when another node has a newer one. And failing polls count when the successor is needed: near the end, or when it is
// known to exist.
func (s standing) at(now time.Time, soon time.Duration, current held) standing {
	switch {
	case s.phase != failed && s.held.expired(now):
		s.phase, s.reason = failed, v1alpha1.ReasonExpired
	case s.reason != v1alpha1.ReasonInstalled: // unfinished, failed or suspended
	case s.sync != "" && (s.held != current || s.held.expired(now.Add(soon))):
		s.phase, s.reason = phaseOf(s.sync), s.sync
	case s.held != current:
		s.phase, s.reason = pending, v1alpha1.ReasonSuperseded
	}
	return s
}

// phaseOf is what failing polls make of a node that needs the successor: failed where someone must act, as agents report it.
func phaseOf(reason v1alpha1.Reason) phase {
	switch reason.Class() {
	case v1alpha1.ClassTerminal, v1alpha1.ClassWaiting:
		return failed
	case v1alpha1.ClassNone, v1alpha1.ClassTransient:
	}
	return pending
}

// pollsFail reports whether the node's polls fail while what it has is valid: a renewal would not arrive.
func (s standing) pollsFail(now time.Time) bool { return s.sync != "" && !s.held.expired(now) }

// troubled says whether something is wrong, and not only unfinished. A node that has never reported is only new at first.
func (s standing) troubled() bool {
	switch {
	case s.phase == installed:
		return false
	case s.reason == v1alpha1.ReasonAgentNotReporting:
		return s.late
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

// end is the end of validity, nil for none.
func (h held) end() *metav1.Time {
	if h.notAfter == 0 {
		return nil
	}
	return &metav1.Time{Time: time.Unix(h.notAfter, 0)}
}

// entry returns what the node reported about a certificate. Entries are sorted by name when they enter the cache.
func (n *node) entry(name string) (v1alpha1.CertificateEntry, bool) {
	i, found := slices.BinarySearchFunc(n.entries, name, func(e v1alpha1.CertificateEntry, name string) int { return strings.Compare(e.Name, name) })
	if !found {
		return v1alpha1.CertificateEntry{}, false
	}
	return n.entries[i], true
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// earliest returns the earlier of two times, of which the zero time means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
