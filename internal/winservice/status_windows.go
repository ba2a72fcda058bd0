package winservice

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// interval is the time between two looks at a state.
const interval = 200 * time.Millisecond

// The states of a service (https://learn.microsoft.com/windows/win32/services/service-status-transitions).
var states = map[svc.State]string{
	svc.Stopped: "stopped", svc.StartPending: "starting", svc.StopPending: "stopping", svc.Running: "running",
	svc.ContinuePending: "continuing", svc.PausePending: "pausing", svc.Paused: "paused",
}

var startTypes = map[uint32]string{
	windows.SERVICE_AUTO_START: "automatic", windows.SERVICE_DEMAND_START: "manual", windows.SERVICE_DISABLED: "disabled",
}

// Query returns the state of a service. It needs no administrator.
func Query(name string) (Status, error) {
	service, err := open(name, windows.SERVICE_QUERY_STATUS|windows.SERVICE_QUERY_CONFIG)
	if err != nil || service == nil {
		return Status{Name: name}, err
	}
	defer closeService(service)
	status, err := query(service)
	if err != nil {
		return Status{}, err
	}
	startType, commandLine, err := basics(service)
	if err != nil {
		return Status{}, explain("reading the configuration of service "+name, err)
	}
	start := phrase(startTypes, startType)
	if startType == windows.SERVICE_AUTO_START && delayedStart(service) {
		start += " (delayed)"
	}
	return Status{
		Name: name, Installed: true, State: phrase(states, status.State), PID: status.ProcessId,
		StartType: start, CommandLine: commandLine, ExitCode: exitCode(status),
	}, nil
}

func phrase[K ~uint32](phrases map[K]string, key K) string {
	if text, ok := phrases[key]; ok {
		return text
	}
	return fmt.Sprintf("unknown (%d)", key)
}

func query(service *mgr.Service) (svc.Status, error) {
	status, err := service.Query()
	return status, explain("reading the state of service "+service.Name, err)
}

// exitCode returns the service's own code where there is one. A service that never ran has ERROR_SERVICE_NEVER_STARTED, which
// is no failure (https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_status).
func exitCode(status svc.Status) uint32 {
	if status.Win32ExitCode == uint32(windows.ERROR_SERVICE_SPECIFIC_ERROR) {
		return status.ServiceSpecificExitCode
	}
	if status.Win32ExitCode == uint32(windows.ERROR_SERVICE_NEVER_STARTED) {
		return 0
	}
	return status.Win32ExitCode
}

// await waits until the service is in a state or has stopped, and returns its status.
func await(ctx context.Context, service *mgr.Service, want svc.State, limit time.Duration, out io.Writer) (svc.Status, error) {
	const report = 5 * time.Second
	begin := time.Now()
	next := report
	for {
		status, err := query(service)
		if err != nil || status.State == want || status.State == svc.Stopped {
			return status, err
		}
		waited := time.Since(begin)
		if waited >= limit {
			return status, fmt.Errorf("service %s is still %s after %s (process %d); its log may say why",
				service.Name, phrase(states, status.State), limit.Round(time.Second), status.ProcessId)
		}
		if waited >= next {
			next += report
			state := phrase(states, status.State)
			_, _ = fmt.Fprintf(out, "service %s is %s, for %s now\n", service.Name, state, waited.Round(time.Second))
		}
		if err := pause(ctx, interval); err != nil {
			return status, err
		}
	}
}

func pause(ctx context.Context, duration time.Duration) error {
	select {
	case <-time.After(duration):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
