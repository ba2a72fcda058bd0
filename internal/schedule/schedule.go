// Package schedule computes when a certificate is polled: pure functions of times, without state and without a clock.
package schedule

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Limits of retries. A waiting failure is retried sooner than the polling interval at first, so that a fix shows soon; a transient
// one after seconds, since most of them end soon.
const (
	waitingBase   = 30 * time.Second
	transientBase = 2 * time.Second
	transientCap  = 5 * time.Minute
	// retryAfterCap limits the wait that a server may ask for: a date in another century must not stop the polls of a certificate.
	retryAfterCap = time.Hour
)

// Slot returns the first polling slot of a URL on a node that is later than from. Slots lie interval apart, at an offset
// that depends on node and URL: this spreads polls over the fleet, and the same node and URL have the same slots after a
// restart, so that a roll-out of the agent causes no burst. Times are UTC; interval is at least a second.
func Slot(node, url string, interval time.Duration, from time.Time) time.Time {
	start := from.Truncate(interval).Add(Offset(node, url, interval))
	if start.After(from) {
		return start
	}
	return start.Add(interval)
}

// Offset returns the moment of an interval at which a node asks for a URL: always the same, and evenly spread over the nodes.
// interval is positive.
func Offset(node, url string, interval time.Duration) time.Duration {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(node + "\n" + url))               // never fails
	return time.Duration(mix(hash.Sum64()) % uint64(interval)) //nolint:gosec // an interval is positive, and the rest less than it
}

// Next returns the slot at which a polled URL is polled again. A slot within a minute of the poll, or a twentieth of the
// interval if that is less, is skipped: the poll has just been made.
func Next(node, url string, interval time.Duration, polled time.Time) time.Time {
	return Slot(node, url, interval, polled.Add(min(time.Minute, interval/20)))
}

// mix spreads the bits of a hash (the finalizer of MurmurHash3): FNV's low bits are similar for names that differ in the last
// letter.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Missed reports whether a slot passed between the time when the agent is last known to have run and now. Such a poll is made at
// once. An unknown time (zero) misses nothing: what is missing in the store is polled anyway.
func Missed(node, url string, interval time.Duration, lastAlive, now time.Time) bool {
	return !lastAlive.IsZero() && !Slot(node, url, interval, lastAlive).After(now)
}

// Transient returns the wait before the next attempt after a transient failure: exponential with full jitter, at most 5 minutes
// or the polling interval, at least a second, and at least what the server asked for, up to an hour or the polling interval.
// attempt counts from 1; random is in [0, 1).
func Transient(attempt int, interval, retryAfter time.Duration, random float64) time.Duration {
	limit := exponential(transientBase, attempt, min(transientCap, interval))
	wait := max(time.Second, time.Duration(random*float64(limit)))
	if retryAfter = Bounded(retryAfter, interval); retryAfter > wait {
		// All clients were given the same time: spread their requests over another tenth of it.
		wait = retryAfter + time.Duration(random*float64(retryAfter)/10)
	}
	return wait
}

// Bounded limits the wait that a server asked for to an hour, or the polling interval if that is longer.
func Bounded(retryAfter, interval time.Duration) time.Duration {
	return min(retryAfter, max(retryAfterCap, interval))
}

// Waiting returns the wait before the next attempt after a failure that must be fixed elsewhere: 30 s, doubling up to
// the polling interval, with a tenth of jitter. attempt counts from 1; random is in [0, 1).
func Waiting(attempt int, interval time.Duration, random float64) time.Duration {
	wait := exponential(min(waitingBase, interval), attempt, interval)
	return wait + time.Duration(random*float64(wait)/10)
}

// Spread returns a random wait up to limit, for the first polls after a start.
func Spread(limit time.Duration) time.Duration {
	if limit <= 0 {
		return 0
	}
	return rand.N(limit)
}

// exponential returns base doubled attempt-1 times, at most limit.
func exponential(base time.Duration, attempt int, limit time.Duration) time.Duration {
	wait := base
	for range attempt - 1 {
		if wait >= limit {
			break
		}
		wait *= 2
	}
	return min(wait, limit)
}
