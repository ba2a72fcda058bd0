// Package await waits in tests for what happens a while after its cause: by asking again and again, and long enough that a
// slow machine does not fail a test. A test that passes never waits that long.
package await

import (
	"context"
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Limit is how long a test waits for anything before it fails.
const Limit = 5 * time.Minute

const interval = 50 * time.Millisecond

// That waits until a condition holds without an error, and else ends the test. What is waited for completes "timed out waiting
// until".
func That(t testing.TB, what string, holds func() (bool, error)) {
	t.Helper()
	if err := Until(t.Context(), what, holds); err != nil {
		t.Fatal(err)
	}
}

// Until is That where there is no test, or its context has ended. The error names the condition's last one.
func Until(ctx context.Context, what string, holds func() (bool, error)) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, interval, Limit, true, func(context.Context) (bool, error) {
		var ok bool
		ok, last = holds()
		return ok && last == nil, nil
	})
	switch {
	case err == nil:
		return nil
	case last == nil:
		return fmt.Errorf("timed out waiting until %s: %w", what, err)
	}
	return fmt.Errorf("timed out waiting until %s: %w (last error: %w)", what, err, last)
}
