package writequeue

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// spacing is the minimum time between two status writes of one certificate: changes in between go out together.
const spacing = 2 * time.Second

// Delays after a failed write: doubled from the first to the last.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// Queue holds the certificates whose status may have to be written. Adding one that is pending already changes nothing. It is
// safe for concurrent use. Make it with New.
type Queue struct {
	mu      sync.Mutex
	pending map[string]time.Time // since when, by name
	pace    map[string]pace      // by name
	wake    chan struct{}
}

// pace is the earliest time of a certificate's next write, and how many writes failed in a row.
type pace struct {
	earliest time.Time
	failures int
}

// Pending is a certificate whose status may have to be written.
type Pending struct {
	// Name is that of the ObservedCertificate.
	Name string
	// Since is the time of its first unwritten change.
	Since time.Time
}

// New returns an empty queue.
func New() *Queue {
	return &Queue{pending: map[string]time.Time{}, pace: map[string]pace{}, wake: make(chan struct{}, 1)}
}

// Add adds certificates, and returns how many of them were pending already.
func (q *Queue) Add(now time.Time, names ...string) (coalesced int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, name := range names {
		if _, known := q.pending[name]; known {
			coalesced++
			continue
		}
		q.pending[name] = now
	}
	if len(names) > 0 {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
	return coalesced
}

// Wake receives after certificates were added.
func (q *Queue) Wake() <-chan struct{} { return q.wake }

// Due returns the certificates that may be written now, oldest first, and when the next one may be written (zero for none).
func (q *Queue) Due(now time.Time) (due []Pending, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for name, since := range q.pending {
		if earliest := q.pace[name].earliest; earliest.After(now) {
			if next.IsZero() || earliest.Before(next) {
				next = earliest
			}
			continue
		}
		due = append(due, Pending{name, since})
	}
	slices.SortFunc(due, func(a, b Pending) int { return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Name, b.Name)) })
	return due, next
}

// Take removes a certificate before its status is computed: later changes add it again.
func (q *Queue) Take(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.pending, name)
}

// PutBack adds a certificate that was taken and not written, with its original age.
func (q *Queue) PutBack(p Pending) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending[p.Name] = p.Since
}

// Wrote records a successful write.
func (q *Queue) Wrote(name string, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pace[name] = pace{earliest: now.Add(spacing)}
}

// Failed records a failed write, and adds the certificate again for a retry with backoff.
func (q *Queue) Failed(p Pending, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	before := q.pace[p.Name].failures
	q.pace[p.Name] = pace{earliest: now.Add(min(firstRetry<<min(before, 10), lastRetry)), failures: before + 1}
	q.pending[p.Name] = p.Since
}

// Forget drops the pace of a deleted certificate. One that is still pending may be a new one of the same name.
func (q *Queue) Forget(name string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.pace, name)
}

// Paced returns how many certificates have a pace.
func (q *Queue) Paced() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.pace)
}

// Oldest returns for how long the longest-due certificate has been due, 0 if none is.
func (q *Queue) Oldest(now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	var age time.Duration
	for name, since := range q.pending {
		if paced := q.pace[name]; paced.failures == 0 && paced.earliest.After(since) {
			since = paced.earliest // it was not due earlier
		}
		age = max(age, now.Sub(since))
	}
	return age
}
