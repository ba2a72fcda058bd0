// Package debounce waits for a burst of changes to end.
package debounce

import (
	"context"
	"time"
)

// Quiet waits after a change until there has been no other for the quiet time, but not past the deadline. It returns false when the
// context has ended.
func Quiet(ctx context.Context, changed <-chan struct{}, quiet time.Duration, deadline <-chan time.Time) bool {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for {
		select {
		case <-changed:
			timer.Reset(quiet)
		case <-timer.C:
			return true
		case <-deadline:
			return true
		case <-ctx.Done():
			return false
		}
	}
}
