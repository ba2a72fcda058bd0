package inventory

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// A check follows a change when the store has not changed for a second, at most every ten seconds, and in any case after the
// interval.
func TestACheckFollowsAChange(t *testing.T) {
	const s = time.Second
	tests := []struct {
		name     string
		changes  []time.Duration // since the start
		interval time.Duration
		want     []time.Duration // when a check is due
	}{
		{"no change: only the interval", nil, 60 * s, []time.Duration{60 * s, 120 * s}},
		{"an early change waits for the pause and a quiet second", []time.Duration{2 * s}, 60 * s, []time.Duration{11 * s, 71 * s}},
		{"a later change waits for a quiet second", []time.Duration{20 * s, 20*s + s/2}, 60 * s, []time.Duration{21*s + s/2, 81*s + s/2}},
		{"changes without end are checked at the interval", every(s/2, 100*s), 30 * s, []time.Duration{30 * s, 60 * s, 90 * s}},
		{"an interval shorter than the pause", []time.Duration{s / 2}, 3 * s, []time.Duration{3 * s, 6 * s}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				w := NewWatcher()
				start := time.Now()
				go func() {
					for _, at := range test.changes {
						select {
						case <-time.After(at - time.Since(start)):
							w.signal()
						case <-ctx.Done():
							return
						}
					}
				}()
				for _, want := range test.want {
					if !w.Wait(ctx, test.interval) {
						t.Fatal("the context has not ended")
					}
					if got := time.Since(start); got != want {
						t.Fatalf("a check is due after %s, want %s", got, want)
					}
				}
				cancel()
				if w.Wait(ctx, test.interval) {
					t.Error("the context has ended")
				}
			})
		})
	}
}

// every returns the multiples of a step up to an end.
func every(step, end time.Duration) []time.Duration {
	var times []time.Duration
	for at := step; at <= end; at += step {
		times = append(times, at)
	}
	return times
}
