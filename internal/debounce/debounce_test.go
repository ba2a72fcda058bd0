package debounce

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestQuiet(t *testing.T) {
	tests := []struct {
		name    string
		changes int // one each half second
		end     time.Duration
		want    time.Duration
		ended   bool
	}{
		{"no other change", 0, time.Hour, time.Second, false},
		{"three changes", 3, time.Hour, 2500 * time.Millisecond, false},
		{"changes without end stop at the deadline", 1000, time.Hour, 30 * time.Second, false},
		{"the context ends", 1000, 10 * time.Second, 10 * time.Second, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), test.end)
				defer cancel()
				changed := make(chan struct{}, 1)
				go func() {
					for range test.changes {
						select {
						case <-time.After(500 * time.Millisecond):
							changed <- struct{}{}
						case <-ctx.Done():
							return
						}
					}
				}()
				start := time.Now()
				quiet := Quiet(ctx, changed, time.Second, time.After(30*time.Second))
				if took := time.Since(start); took != test.want || quiet == test.ended {
					t.Errorf("it returned %t after %s, want %t after %s", quiet, took, !test.ended, test.want)
				}
				cancel()
				select { // a change may wait for a reader
				case <-changed:
				default:
				}
			})
		})
	}
}
