package agent

import (
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

// moment is everything that decides whether a poll is due, apart from what is remembered.
type moment struct {
	certificate *v1alpha1.ObservedCertificate
	node        string
	url         string // in its shortest form
	inPlace     bool   // the certificate is in the store, with its key
	now         time.Time
	started     time.Time // of the agent
	lastAlive   time.Time // of its predecessor
}

// verdict says whether to poll now, or when to look again.
type verdict struct {
	poll bool
	// since is when the wish arose: an answer that Key Vault gave to someone else since then is good enough.
	since time.Time
	// again is when to look again, where no poll is due; zero for when something changes.
	again time.Time
}

// decide says whether a poll is due: the spec or the request changed, a failure's time has come, the store has drifted, or
// the slot came. It is a pure function.
func decide(remembered record, m moment) verdict {
	interval := intervalOf(m.certificate)
	request := requestOf(m.certificate)
	switch {
	case m.now.Before(remembered.notBefore):
		return verdict{again: remembered.notBefore} // first polls after a start are spread
	case remembered.generation == 0 && remembered.entry.State != v1alpha1.StateSuspended: // never seen
		return verdict{poll: true, since: laterOf(m.certificate.CreationTimestamp.Time, m.started)}
	case remembered.generation != m.certificate.Generation, request != "" && request != remembered.requestedAt:
		return verdict{poll: true, since: m.now}
	case remembered.terminal:
		return verdict{} // waits for the spec
	case !remembered.nextAttempt.IsZero():
		return at(remembered.nextAttempt, m.now)
	case !m.inPlace:
		return at(nextRepair(remembered, interval, m.now), m.now)
	case remembered.polledAt.IsZero():
		lastAlive := m.lastAlive
		if lastAlive.IsZero() {
			lastAlive = m.started // else no slot would ever have come
		}
		if schedule.Missed(m.node, m.url, interval, lastAlive, m.now) {
			return verdict{poll: true, since: m.started}
		}
		return verdict{again: schedule.Slot(m.node, m.url, interval, m.now)}
	}
	next := schedule.Next(m.node, m.url, interval, remembered.polledAt)
	if next.After(m.now.Add(2 * interval)) {
		return verdict{poll: true, since: m.now} // the clock was set back: the last poll is a day or a year ahead
	}
	return at(next, m.now)
}

// at polls when a time has come and looks again then when it has not.
func at(due, now time.Time) verdict {
	if due.After(now) {
		return verdict{again: due}
	}
	return verdict{poll: true, since: due}
}

// Drift is repaired at once, but a certificate that keeps vanishing is in a fight with another tool: from the fourth time
// in a row the repairs slow down. An hour of peace ends the row.
const (
	promptRepairs = 3
	peace         = time.Hour
)

func nextRepair(remembered record, interval time.Duration, now time.Time) time.Time {
	if remembered.repairs < promptRepairs {
		return now
	}
	return remembered.repairedAt.Add(schedule.Waiting(remembered.repairs-promptRepairs+1, interval, 0))
}

func intervalOf(certificate *v1alpha1.ObservedCertificate) time.Duration {
	return time.Duration(max(30, certificate.Spec.PollingIntervalInS)) * time.Second
}

// requestOf returns the time at which a poll was asked for, as the annotation has it; empty for none. What is no time is no
// request, so that nothing of any length gets into every node's state.
func requestOf(certificate *v1alpha1.ObservedCertificate) string {
	value := certificate.Annotations[v1alpha1.RequestedAtAnnotation]
	if _, err := time.Parse(time.RFC3339, value); err != nil {
		return ""
	}
	return value
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
