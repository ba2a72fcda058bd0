package engine

import (
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

// situation is everything that decides whether a poll is due, apart from what is remembered.
type situation struct {
	certificate *v1alpha1.ObservedCertificate
	machine     string
	source      string // where it comes from, in its shortest form
	revision    string // of its ConfigMap, empty where it is not known
	has         installed
	published   Publication
	now         time.Time
	started     time.Time // of the agent
	lastAlive   time.Time // of its predecessor
}

// decision is to poll now, or when to look again.
type decision struct {
	poll bool
	// since is when the need for the poll arose: an answer that Key Vault gave to another certificate since then can be shared.
	since time.Time
	// again is when to look again, where no poll is due; zero for when something changes.
	again time.Time
	// skipped is set where a slot came, and the version watch makes a poll unnecessary.
	skipped bool
}

// decide decides whether a poll is due: the spec, the request or the ConfigMap changed, the version watch published another version, it is time
// to retry a failure, the store has drifted, or the slot has come. It is a pure function.
func decide(known record, s situation) decision {
	interval := intervalOf(s.certificate)
	request := requestOf(s.certificate)
	switch {
	case s.now.Before(known.poll.notBefore):
		return decision{again: known.poll.notBefore} // first polls after a start are spread
	case s.has.otherSecret && s.published.waits(s.has, s.now):
		return decision{} // another secret comes in waves as another version does, and does not have the version that is installed
	case known.poll.generation == 0 && known.entry.State != v1alpha1.StateSuspended: // never seen
		return decision{poll: true, since: latest(s.certificate.CreationTimestamp.Time, s.started)}
	case known.poll.generation != s.certificate.Generation, request != "" && request != known.poll.requestedAt:
		return decision{poll: true, since: s.now}
	case s.revision != "" && s.revision != known.poll.revision:
		return decision{poll: true, since: s.now}
	case s.published.Fresh && s.published.Version != known.poll.target &&
		(s.published.supersedes(s.has, s.now) || known.poll.attempt > 0 && !s.published.waits(s.has, s.now)):
		return pollAt(s.fetchTime(known.poll.seen), s.now)
	case known.poll.terminal:
		return decision{} // waits for the spec
	case !known.poll.nextAttempt.IsZero():
		return pollAt(known.poll.nextAttempt, s.now)
	case !s.has.inPlace:
		return pollAt(known.repair.next(interval, s.now), s.now)
	}
	return s.decideSlot(known.poll)
}

// decideSlot decides by the polling slots. A slot needs no poll while the version watch sees the vault.
func (s situation) decideSlot(known pollRecord) decision {
	interval := intervalOf(s.certificate)
	confirmed := s.published.confirms(s.has, s.now)
	if s.published.isUrgent(s.has, s.now) && !confirmed {
		if deadline := s.published.Turn.deadline(s.has); known.at.Before(deadline) {
			return decision{poll: true, since: deadline} // the next slot may be after the expiry
		}
	}
	last := latest(known.at, known.skipped)
	if last.IsZero() {
		lastAlive := s.lastAlive
		if lastAlive.IsZero() {
			lastAlive = s.started // else no slot would ever have come
		}
		if !confirmed && schedule.Missed(s.machine, s.source, interval, lastAlive, s.now) {
			return decision{poll: true, since: s.started}
		}
		return decision{again: schedule.Slot(s.machine, s.source, interval, s.now)}
	}
	next := schedule.Next(s.machine, s.source, interval, last)
	if next.After(s.now.Add(2 * interval)) {
		return decision{poll: true, since: s.now} // the clock was set back: the last poll is a day or a year ahead
	}
	if confirmed && !next.After(s.now) {
		return decision{skipped: true, again: schedule.Slot(s.machine, s.source, interval, s.now)}
	}
	return pollAt(next, s.now)
}

// fetchTime returns when the machine fetches a version that it first saw at some time. It does not wait while it has no valid
// certificate.
func (s situation) fetchTime(seen sighting) time.Time {
	if seen.at.After(s.now) {
		return s.now // the clock was set back
	}
	urgent := s.published.Turn != nil && !s.published.Turn.Come && !s.published.rollsBack(s.has) // else it would wait for its wave
	if !s.has.inPlace || s.now.After(s.has.notAfter) || urgent {
		return seen.at
	}
	slot := schedule.Slot(s.machine, s.source, intervalOf(s.certificate), seen.at)
	return earliest(seen.at.Add(s.published.Wait), slot) // never later than without the version watch
}

// pollAt decides to poll where a time has come, and otherwise to look again at that time.
func pollAt(due, now time.Time) decision {
	if due.After(now) {
		return decision{again: due}
	}
	return decision{poll: true, since: due}
}

// Drift is repaired at once, but a certificate that keeps disappearing is being changed by another tool: from the fourth repair in
// a row, repairs slow down. A row ends when there was no repair for repairWindow.
const (
	promptRepairs = 3
	repairWindow  = time.Hour
)

// next returns the earliest time of the next repair.
func (r repairRecord) next(interval time.Duration, now time.Time) time.Time {
	if r.count < promptRepairs {
		return now
	}
	return r.at.Add(schedule.Waiting(r.count-promptRepairs+1, interval, 0))
}

// after returns the record after a certificate was processed, and repaired or not.
func (r repairRecord) after(repaired bool, now time.Time) repairRecord {
	inRow := now.Sub(r.at) < repairWindow
	switch {
	case repaired && inRow:
		return repairRecord{count: r.count + 1, at: now}
	case repaired:
		return repairRecord{count: 1, at: now}
	case inRow:
		return r
	}
	return repairRecord{}
}

func intervalOf(certificate *v1alpha1.ObservedCertificate) time.Duration {
	return time.Duration(max(30, certificate.Spec.PollingIntervalInS)) * time.Second
}

// requestOf returns the time at which a poll was requested, as the annotation has it; empty for none. A value that is not a time is
// not a request, so that no text of any length reaches the state of every node.
func requestOf(certificate *v1alpha1.ObservedCertificate) string {
	value := certificate.Annotations[v1alpha1.RequestedAtAnnotation]
	if _, err := time.Parse(time.RFC3339, value); err != nil {
		return ""
	}
	return value
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
