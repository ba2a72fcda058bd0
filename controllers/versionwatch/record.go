package versionwatch

import (
	"errors"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

// reportedFrom is the number of failures in a row from which a transient failure is told. Until then the last list counts.
const reportedFrom = 3

// leastPause is the least time between two lists of one secret, whatever asks for one: any number of events costs at most one list
// in that time.
const leastPause = 2 * time.Second

// record is what is known of one secret. It is lost with the leader: the next one lists again, and the status has what was
// published.
type record struct {
	secret   keyvault.SecretURL
	interval time.Duration // the shortest of its certificates

	attempted time.Time // when the last list began, zero for never
	listed    time.Time // when the last list that succeeded began, zero for never
	next      time.Time // when the next is due
	looked    bool      // a list was asked for since the last one began

	choice  choice // of the last list with a usable version
	window  window // for fetching it
	failure *keyvault.Failure
	attempt int // failures in a row
}

// due returns when the secret has to be listed, zero for at once.
func (r record) due() time.Time {
	due := r.next
	if r.looked {
		due = time.Time{}
	}
	if earliest := r.attempted.Add(leastPause); !r.attempted.IsZero() && due.Before(earliest) {
		due = earliest
	}
	return due
}

// known reports whether anything can be said about the secret.
func (r record) known() bool { return !r.listed.IsZero() || r.failing() }

// failing reports whether its lists fail for so long that agents have to poll.
func (r record) failing() bool {
	if r.failure == nil {
		return false
	}
	return r.failure.Reason.Class() != v1alpha1.ClassTransient || r.attempt >= reportedFrom
}

// onSchedule reports whether the secret was listed as often as it should be.
func (r record) onSchedule(now time.Time) bool {
	return !r.listed.IsZero() && !r.failing() && now.Before(r.listed.Add(2*r.interval+time.Minute))
}

// succeeded returns the record after a list. It is a pure function.
func (r record) succeeded(began, now time.Time, chosen choice) record {
	r.listed, r.choice, r.failure, r.attempt = began, chosen, nil, 0
	r.next = schedule.Next(slotName, r.secret.String(), r.interval, now)
	return r.noLaterThan(chosen.changes)
}

// noLaterThan returns the record with the next list at a time at the latest, at which time alone changes the choice; zero for never.
func (r record) noLaterThan(changes time.Time) record {
	if !changes.IsZero() && changes.Before(r.next) {
		r.next = changes
	}
	return r
}

// failed returns the record after a list that failed. random is in [0, 1). It is a pure function.
func (r record) failed(err error, now time.Time, random float64) record {
	var failure *keyvault.Failure
	if !errors.As(err, &failure) {
		failure = &keyvault.Failure{Reason: v1alpha1.ReasonInternalError, Message: err.Error()}
	}
	r.failure, r.attempt = failure, r.attempt+1
	switch failure.Reason.Class() {
	case v1alpha1.ClassTransient:
		r.next = now.Add(schedule.Transient(r.attempt, r.interval, failure.RetryAfter, random))
	case v1alpha1.ClassTerminal, v1alpha1.ClassWaiting, v1alpha1.ClassNone:
		r.next = now.Add(schedule.Waiting(r.attempt, r.interval, random))
	}
	return r
}

// slotName spreads the lists of the secrets over the interval.
const slotName = "version-watch"
