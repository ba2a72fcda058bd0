// Package circuit decides when a host that is ill is asked again. Everyone on a node who needs the host goes by one Circuit,
// so that what the host told one of them holds for all: pure decisions over times, without a clock.
package circuit

import (
	"time"

	"github.com/vaultpane/vaultpane/internal/schedule"
)

const (
	// tolerated is how many failures in a row say nothing about the host yet: one secret can be broken, one connection cut.
	tolerated = 2
	// longest bounds the wait between two attempts, as it bounds a certificate's own.
	longest = 5 * time.Minute
)

// Circuit is what a node knows about one host. The zero value is closed: every request may go. While it is open none may;
// then one request goes alone and finds out. It is not safe for concurrent use.
type Circuit struct {
	failures int       // in a row
	refusals int       // of them, those that need a person
	opened   time.Time // what began before was under way when it opened, and tells nothing new
	until    time.Time // zero while it is closed
	probing  bool      // one request is finding out
}

// Failure is a request that got no answer, or one that says the host is ill.
type Failure struct {
	// Began is when the request began.
	Began time.Time
	// RetryAfter is how long the host wants to be left alone, 0 if it did not say.
	RetryAfter time.Duration
	// Certain is true where one failure is enough: the host throttles, or has been silent for long.
	Certain bool
	// Refused is true where the host is well and refuses for a reason that needs a person, such as a wrong secret. One
	// failure is enough; the wait is longer, and doubles.
	Refused bool
}

// Closed reports whether every request may go.
func (c *Circuit) Closed() bool { return c.until.IsZero() }

// Admit returns 0 when a request may go. Whoever is admitted says what became of it: Succeed, Fail, or Release. Otherwise
// it returns how long to wait: until one request may find out, and then spread over a time that grows with the illness, so
// that the others neither meet a host that is still ill nor return to a healthy one all at once. random is in [0, 1).
func (c *Circuit) Admit(now time.Time, random float64) time.Duration {
	switch {
	case c.Closed():
		return 0
	case !now.Before(c.until) && !c.probing:
		c.probing = true
		return 0
	}
	return max(0, c.until.Sub(now)) + c.spread(random)
}

// spread returns a random wait on the scale of the illness: twice the longest wait that this many failures allow, or the time
// that the host asked for, if that is more.
func (c *Circuit) spread(random float64) time.Duration {
	asked := time.Duration(random * float64(min(c.until.Sub(c.opened), 2*longest)))
	return max(asked, 2*schedule.Transient(c.failures, longest, 0, random))
}

// Succeed takes down that the host answered a request which began at a time.
func (c *Circuit) Succeed(began time.Time) {
	if !began.Before(c.opened) {
		*c = Circuit{}
	}
}

// Release takes down that an admitted request, which began at a time, says nothing about the host. One that was under way
// when the circuit opened is not the one that finds out.
func (c *Circuit) Release(began time.Time) {
	if !began.Before(c.opened) {
		c.probing = false
	}
}

// Fail takes down a failure and returns how long the host is left alone, 0 if it is not. The wait is exponential with full
// jitter, and never less than the host asked for. random is in [0, 1).
func (c *Circuit) Fail(now time.Time, failure Failure, random float64) time.Duration {
	if failure.Began.Before(c.opened) { // the others under way when it opened
		if wish := now.Add(schedule.Bounded(failure.RetryAfter, longest)); wish.After(c.until) {
			c.until = wish
		}
		return max(0, c.until.Sub(now))
	}
	c.failures++
	c.probing = false
	if c.Closed() && c.failures <= tolerated && !failure.Certain && !failure.Refused && failure.RetryAfter == 0 {
		return 0
	}
	wait := schedule.Transient(c.failures, longest, failure.RetryAfter, random)
	if failure.Refused {
		c.refusals++
		wait = max(wait, schedule.Waiting(c.refusals, longest, random))
	}
	c.opened, c.until = now, now.Add(wait)
	return wait
}
