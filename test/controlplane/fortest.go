package controlplane

import (
	"context"
	"runtime"
	"testing"
	"time"
)

// AssetsHint says what to do where a test that needs a control plane has no time to get its binaries.
const AssetsHint = "getting the binaries can outlast a test: go run ./test/controlplane/cmd assets does it once"

// ForTest starts a control plane that ends with the test. It fails the test when that does not work, and skips it on Windows,
// for which there is no kube-apiserver.
func ForTest(t testing.TB) *ControlPlane {
	t.Helper()
	SkipWithout(t)
	ctx, cancel := untilDeadline(t)
	defer cancel()
	c, err := Start(ctx, Options{Log: t.Logf})
	if err != nil {
		t.Fatalf("%v\n(%s)", err, AssetsHint)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	return c
}

// SkipWithout skips a test where there can be no control plane.
func SkipWithout(t testing.TB) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no kube-apiserver for Windows")
	}
}

// untilDeadline ends a little before go test would end the process, with a stack trace of everything and no clean-up.
func untilDeadline(t testing.TB) (context.Context, context.CancelFunc) {
	limited, ok := t.(interface{ Deadline() (time.Time, bool) }) // not a benchmark
	if !ok {
		return context.WithCancel(t.Context())
	}
	deadline, ok := limited.Deadline()
	if !ok {
		return context.WithCancel(t.Context())
	}
	return context.WithDeadline(t.Context(), deadline.Add(-10*time.Second))
}
