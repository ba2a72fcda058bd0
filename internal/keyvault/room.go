package keyvault

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// Busy says that a vault was not asked, since it was not this request's turn: nothing is wrong. The reconciler comes back
// after the time, and serves others meanwhile.
type Busy struct {
	// After is when to come back.
	After time.Duration
}

// Error implements error.
func (b *Busy) Error() string {
	return fmt.Sprintf("the vault is asked by others; come back in %s", b.After)
}

// unasked marks an error of a request that was not sent, so that nobody who comes later shares it.
type unasked struct{ error }

// Unwrap returns the error.
func (u *unasked) Unwrap() error { return u.error }

// room holds those who wait for one vault. It has fewer places than there are workers, so that a vault which keeps everyone
// waiting cannot take them all. Who finds it full waits while others leave it; when nobody has for a moment, the vault is
// slow, and the worker has better things to do.
type room struct {
	places int // 0 for any number

	mu     sync.Mutex
	inside int
	moved  time.Time     // when someone left last, or it became full
	left   chan struct{} // closed when someone leaves
}

// crowded is how long a full room may stand still before others are turned away.
const crowded = 250 * time.Millisecond

// placesFor returns the places of a room for a number of workers; 0 for as many as come.
func placesFor(workers int) int {
	if workers <= 1 {
		return 0
	}
	return workers - max(1, workers/5)
}

// enter takes a place, or returns a Busy. Who gets one calls leave.
func (r *room) enter(ctx context.Context) error {
	for {
		left, still := r.take()
		if left == nil {
			return nil
		}
		if still >= crowded {
			return &Busy{After: time.Second/2 + rand.N(time.Second)}
		}
		timer := time.NewTimer(crowded - still)
		select {
		case <-left:
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		timer.Stop()
	}
}

// take takes a place. Where there is none it returns what is closed when someone leaves, and for how long nobody has.
func (r *room) take() (left <-chan struct{}, still time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.places > 0 && r.inside == r.places {
		return r.left, time.Since(r.moved)
	}
	if r.inside++; r.inside == r.places {
		r.moved = time.Now()
	}
	return nil, 0
}

func (r *room) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inside--
	r.moved = time.Now()
	close(r.left)
	r.left = make(chan struct{})
}
