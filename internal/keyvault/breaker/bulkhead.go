package breaker

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Bulkhead bounds the callers that wait for one target. Its capacity is less than the number of workers, so that a slow target
// cannot occupy them all. A caller that finds it full waits as long as others release it. If none does for stallTimeout, the
// target is slow, and the caller's request is deferred.
type Bulkhead struct {
	capacity int // 0 for no bound

	mu       sync.Mutex
	held     int
	moved    time.Time     // when it was last released, or became full
	released chan struct{} // closed at the next release
}

// stallTimeout is how long a full bulkhead may go without a release before callers are deferred.
const stallTimeout = 250 * time.Millisecond

// capacityFor returns the capacity of a bulkhead for a number of workers; 0 for no bound.
func capacityFor(workers int) int {
	if workers <= 1 {
		return 0
	}
	return workers - max(1, workers/5)
}

// Acquire returns nil, and its caller then calls Release; or it returns a Deferred, or the context's error.
func (b *Bulkhead) Acquire(ctx context.Context) error {
	for {
		released, stalled := b.tryAcquire()
		if released == nil {
			return nil
		}
		if stalled >= stallTimeout {
			return &Deferred{After: time.Second/2 + rand.N(time.Second)}
		}
		timer := time.NewTimer(stallTimeout - stalled)
		select {
		case <-released:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
}

// tryAcquire returns nil if it acquired the bulkhead. If the bulkhead is full, it returns a channel that is closed at the next
// release, and the time since the last one.
func (b *Bulkhead) tryAcquire() (released <-chan struct{}, stalled time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.capacity > 0 && b.held == b.capacity {
		return b.released, time.Since(b.moved)
	}
	if b.held++; b.held == b.capacity {
		b.moved = time.Now()
	}
	return nil, 0
}

// Release makes room for another caller.
func (b *Bulkhead) Release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held--
	b.moved = time.Now()
	close(b.released)
	b.released = make(chan struct{})
}
