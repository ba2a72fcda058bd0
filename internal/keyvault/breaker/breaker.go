package breaker

import (
	"math/rand/v2"
	"sync"
	"time"
)

// Breaker is the circuit breaker of one target. It is a Circuit that is safe for concurrent use and remembers the error that
// opened it. The zero value is closed.
type Breaker struct {
	mu      sync.Mutex
	circuit Circuit
	err     error
}

// Admit returns 0 if a request may be sent; its caller then calls Succeed, Fail or Release. Otherwise it returns how long to wait,
// and the error that opened the breaker.
func (b *Breaker) Admit(now time.Time) (wait time.Duration, cause error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if wait := b.circuit.Admit(now, rand.Float64()); wait > 0 {
		return wait, b.err
	}
	return 0, nil
}

// Succeed records that the target answered a request that began at a time.
func (b *Breaker) Succeed(began time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.circuit.Succeed(began)
}

// Fail records a failed request and its error, which must be fit to be shared between callers. It returns the time until the next
// probe, 0 if the breaker stays closed.
func (b *Breaker) Fail(now time.Time, failure Failure, err error) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	wait := b.circuit.Fail(now, failure, rand.Float64())
	if !b.circuit.Closed() {
		b.err = err
	}
	return wait
}

// Release records that an admitted request, which began at a time, says nothing about the target.
func (b *Breaker) Release(began time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.circuit.Release(began)
}

// Closed reports whether every request is admitted. Otherwise one request at a time probes the target.
func (b *Breaker) Closed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.circuit.Closed()
}
