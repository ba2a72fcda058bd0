package eventgrid

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// queue is the event subscription's queue, in the order of arrival. A received event is locked until it is settled; when its lock
// expires, it is delivered again, under another lock token.
type queue struct {
	lock        time.Duration
	maxDelivery int

	mu      sync.Mutex
	waiting []*delivery
	locked  map[string]*delivery // by lock token
	changed chan struct{}        // closed when an event may have become available
	tokens  int
	dropped int // events that were delivered too often, or rejected
}

// delivery is an event in the queue.
type delivery struct {
	event json.RawMessage
	count int       // deliveries so far
	token string    // of the present lock
	until time.Time // end of the lock, or of a release's delay
}

func newQueue(lock time.Duration, maxDelivery int) *queue {
	return &queue{lock: lock, maxDelivery: maxDelivery, locked: map[string]*delivery{}, changed: make(chan struct{})}
}

// put appends events.
func (q *queue) put(events ...json.RawMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, event := range events {
		q.waiting = append(q.waiting, &delivery{event: event})
	}
	q.wake()
}

// wake wakes those who wait for an event. The caller holds the lock.
func (q *queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// take locks up to limit events. Without one it returns a channel that is closed when one may be there, and the time at which the
// first lock expires, zero for none.
func (q *queue) take(limit int, now time.Time) (taken []delivery, changed <-chan struct{}, next time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	next = q.expire(now)
	var left []*delivery
	for i, one := range q.waiting {
		if len(taken) == limit {
			left = append(left, q.waiting[i:]...)
			break
		}
		if now.Before(one.until) {
			left, next = append(left, one), earlier(next, one.until)
			continue
		}
		q.tokens++
		one.count++
		one.token = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "token-%d", q.tokens))
		one.until = now.Add(q.lock)
		q.locked[one.token] = one
		taken = append(taken, *one)
	}
	q.waiting = left
	if len(taken) > 0 {
		q.wake() // those who wait learn when these locks expire
	}
	return taken, q.changed, next
}

// expire puts events whose lock has expired back, and returns the earliest end of the other locks. The caller holds the lock.
func (q *queue) expire(now time.Time) (next time.Time) {
	for token, one := range q.locked {
		if now.Before(one.until) {
			next = earlier(next, one.until)
			continue
		}
		delete(q.locked, token)
		q.requeue(one)
	}
	return next
}

// requeue delivers an event again, unless it was delivered too often. The caller holds the lock.
func (q *queue) requeue(one *delivery) {
	if one.count >= q.maxDelivery {
		q.dropped++
		return
	}
	q.waiting = append(q.waiting, one)
}

// settle applies an operation to the event of each lock token, and returns the tokens by whether the lock was held.
func (q *queue) settle(tokens []string, now time.Time, apply func(*delivery)) (succeeded, failed []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expire(now)
	succeeded, failed = []string{}, []string{}
	for _, token := range tokens {
		one, held := q.locked[token]
		if !held {
			failed = append(failed, token)
			continue
		}
		succeeded = append(succeeded, token)
		apply(one)
	}
	q.wake()
	return succeeded, failed
}

// counts returns the numbers of events that are not settled, and of those that were dropped. An event whose lock has expired for
// the last time is dropped only when somebody looks.
func (q *queue) counts() (pending, dropped int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.expire(time.Now())
	return len(q.waiting) + len(q.locked), q.dropped
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

// unlock has the locks of all events expire.
func (q *queue) unlock() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, one := range q.locked {
		one.until = time.Time{}
	}
	q.wake()
}

// clear removes all events.
func (q *queue) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.waiting = nil
	clear(q.locked)
	q.wake()
}
