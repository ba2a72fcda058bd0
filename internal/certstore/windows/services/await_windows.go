package services

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// Times of a restart. They are variables for tests.
var (
	// limit is how long a service may take to stop, and to start.
	limit = time.Minute
	// grace is how long a restart goes on after its context has ended. An agent has 30 s to end.
	grace = 10 * time.Second
	// interval is the time between two looks at a state.
	interval = 200 * time.Millisecond
)

// foldName returns a name in the form in which equal services have equal names: Windows ignores case.
func foldName(name string) string { return strings.ToLower(name) }

// lenient returns a context that ends grace after another.
func lenient(ctx context.Context) (context.Context, context.CancelFunc) {
	later, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel(context.Cause(ctx))
		case <-later.Done():
		}
	})
	return later, func() {
		stop()
		cancel(nil)
	}
}

// settled waits while a service starts, continues or pauses: it accepts no request then.
func settled(ctx context.Context, service *mgr.Service) (svc.Status, error) {
	return await(ctx, service, "start", func(state svc.State) bool {
		return state != svc.StartPending && state != svc.ContinuePending && state != svc.PausePending
	})
}

// await waits until a service is in a state, for at most limit
// (https://learn.microsoft.com/windows/win32/services/service-status-transitions).
func await(ctx context.Context, service *mgr.Service, what string, reached func(svc.State) bool) (svc.Status, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it has not done so within %s", limit))
	defer cancel()
	for {
		status, err := query(service)
		if err != nil || reached(status.State) {
			return status, err
		}
		select {
		case <-time.After(interval):
		case <-ctx.Done():
			return status, fmt.Errorf("waiting for the service %s (process %d) to %s: %w", service.Name, status.ProcessId, what, context.Cause(ctx))
		}
	}
}
