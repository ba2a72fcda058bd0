package rollup

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"
)

// spacing is the least time between two status writes of one certificate: what changes meanwhile goes out together.
const spacing = 2 * time.Second

// Waits after a write that failed.
const (
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
)

// outbox holds the certificates whose status may have to be written, and since when. Asking for one that waits already
// changes nothing. It is safe for concurrent use.
type outbox struct {
	mu      sync.Mutex
	waiting map[string]time.Time // since when
	paced   map[string]pace
	wake    chan struct{}
}

// pace says from when on a certificate may be written, and how often that failed in a row.
type pace struct {
	from     time.Time
	failures int
}

func newOutbox() *outbox {
	return &outbox{waiting: map[string]time.Time{}, paced: map[string]pace{}, wake: make(chan struct{}, 1)}
}

// add puts certificates in, and returns how many waited already.
func (o *outbox) add(now time.Time, names ...string) (coalesced int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, name := range names {
		if _, waits := o.waiting[name]; waits {
			coalesced++
			continue
		}
		o.waiting[name] = now
	}
	if len(names) > 0 {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
	return coalesced
}

// due returns the certificates that may be written now, those first that wait longest, and when the next one may be, zero
// for none.
func (o *outbox) due(now time.Time) (due []parcel, next time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for name, since := range o.waiting {
		if from := o.paced[name].from; from.After(now) {
			next = earliest(next, from)
			continue
		}
		due = append(due, parcel{name, since})
	}
	slices.SortFunc(due, func(a, b parcel) int { return cmp.Or(a.since.Compare(b.since), strings.Compare(a.name, b.name)) })
	return due, next
}

// parcel is a certificate that waits.
type parcel struct {
	name  string
	since time.Time
}

// take takes a certificate out, before its status is computed: what changes from then on puts it in again.
func (o *outbox) take(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.waiting, name)
}

// putBack puts a certificate in again that was taken out and not written, as if it had waited all the time.
func (o *outbox) putBack(p parcel) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waiting[p.name] = p.since
}

// wrote notes a write that succeeded.
func (o *outbox) wrote(name string, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.paced[name] = pace{from: now.Add(spacing)}
}

// failed puts a certificate in again that could not be written, for later.
func (o *outbox) failed(name string, since, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := o.paced[name].failures
	o.paced[name] = pace{from: now.Add(min(firstRetry<<min(before, 10), lastRetry)), failures: before + 1}
	o.waiting[name] = since
}

// forget drops the pace of a certificate that is gone. One that waits may be a new one of that name.
func (o *outbox) forget(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.paced, name)
}

// oldest is how long the certificate has waited that has been due longest, 0 if none is.
func (o *outbox) oldest(now time.Time) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	var age time.Duration
	for name, since := range o.waiting {
		if paced := o.paced[name]; paced.failures == 0 {
			since = latest(since, paced.from) // not due before
		}
		age = max(age, now.Sub(since))
	}
	return age
}
