package breaker

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

// Circuit is the state of one host's circuit breaker. All callers on a node share it, so that a response to one of them counts
// for all. The zero value is closed: every request is admitted. While it is open, no request is admitted; then it is half-open,
// and one request probes the host. It makes pure decisions over times, without a clock, and is not safe for concurrent use.
type Circuit struct {
	failures int       // in a row
	refusals int       // of these, the ones that a person has to resolve
	opened   time.Time // requests that began before it were under way when the circuit opened, and say nothing new
	until    time.Time // zero while it is closed
	probing  bool      // one request is probing
}

// Failure is a request without a response, or with one that says that the host is unhealthy.
type Failure struct {
	// Began is when the request began.
	Began time.Time
	// RetryAfter is the wait that the host asked for, 0 for none.
	RetryAfter time.Duration
	// Certain is true if one failure is enough to open the circuit: the host throttles, or has been silent for long.
	Certain bool
	// Refused is true if the host is healthy and refuses for a reason that a person has to resolve, such as a wrong secret. One
	// failure is enough; the wait is longer, and doubles.
	Refused bool
}

// Closed reports whether every request is admitted.
func (c *Circuit) Closed() bool { return c.until.IsZero() }

// Admit returns 0 if a request may be sent. Its caller then calls Succeed, Fail, or Release. Otherwise Admit returns the time to
// wait: until one request may probe the host, plus a random time that grows with the length of the outage, so that the others
// neither meet a host that is still down nor return to a healthy one all at once. random is in [0, 1).
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

// spread returns a random wait that grows with the outage: twice the longest wait that this many failures allow, or the time that
// the host asked for, if that is more.
func (c *Circuit) spread(random float64) time.Duration {
	requested := time.Duration(random * float64(min(c.until.Sub(c.opened), 2*longest)))
	return max(requested, 2*schedule.Transient(c.failures, longest, 0, random))
}

// Succeed records that the host answered a request that began at a time.
func (c *Circuit) Succeed(began time.Time) {
	if !began.Before(c.opened) {
		*c = Circuit{}
	}
}

// Release records that an admitted request, which began at a time, says nothing about the host. A request that was under way when
// the circuit opened is not the probe.
func (c *Circuit) Release(began time.Time) {
	if !began.Before(c.opened) {
		c.probing = false
	}
}

// Fail records a failure and returns the time until the next probe, 0 if the circuit stays closed. The wait is exponential with
// full jitter, and never less than the host asked for. random is in [0, 1).
func (c *Circuit) Fail(now time.Time, failure Failure, random float64) time.Duration {
	if failure.Began.Before(c.opened) { // it was under way when the circuit opened
		if requested := now.Add(schedule.Bounded(failure.RetryAfter, longest)); requested.After(c.until) {
			c.until = requested
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
