package winservice

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

const (
	// exitFailed is the service's own exit code when its work failed.
	exitFailed = 1
	// alive is the time between two reports that the service still stops.
	alive = 2 * time.Second
	// waitHint is how long the service control manager waits for the next report, in milliseconds: more than alive, in case the
	// machine is busy (https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_status).
	waitHint = 10_000
)

// accepted are the requests that end the service. At a shutdown, PreShutdown comes first and allows more time: 10 s by default
// instead of 5 s, which services share (https://learn.microsoft.com/windows/win32/services/service-control-handler-function).
const accepted = svc.AcceptStop | svc.AcceptShutdown | svc.AcceptPreShutdown

// Run runs work as the service of the given name, in a process that the service control manager started, and returns when it
// ended. The caller knows from its arguments (Config.Arguments) that it is such a process. The request to stop, and the
// system's shutdown, end the context of work.
//
// A service must not subscribe to syscall.SIGTERM: Windows sends CTRL_LOGOFF_EVENT to services when any user logs off, and Go
// makes it SIGTERM (https://learn.microsoft.com/windows/console/handlerroutine, https://pkg.go.dev/os/signal#hdr-Windows).
//
// It returns the error of work. When work ends by itself with an error, the service has exit code 1, and the service control
// manager starts it again. After a request to stop the exit code is always 0, or a stopped service would start again;
// context.Canceled is no error then.
func Run(name string, work func(ctx context.Context) error) error {
	h := &handler{work: work}
	err := svc.Run(name, h)
	if errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
		return fmt.Errorf("running service %s: %w: only Windows' service control manager can run this command: use service start",
			name, err)
	}
	if err != nil {
		return fmt.Errorf("running service %s: %w", name, err)
	}
	return h.err
}

type handler struct {
	work func(ctx context.Context) error
	err  error // of work
}

// Execute implements svc.Handler.
func (h *handler) Execute(_ []string, requests <-chan svc.ChangeRequest, reports chan<- svc.Status) (specific bool, code uint32) {
	reports <- svc.Status{State: svc.StartPending}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.work(ctx) }()
	reports <- svc.Status{State: svc.Running, Accepts: accepted}
	for {
		select {
		case h.err = <-ended:
			if h.err != nil {
				return true, exitFailed
			}
			return false, 0
		case request := <-requests:
			switch request.Cmd {
			case svc.Interrogate:
				reports <- request.CurrentStatus
			case svc.Stop, svc.PreShutdown, svc.Shutdown:
				cancel()
				if err := stopping(ended, requests, reports); !errors.Is(err, context.Canceled) {
					h.err = err
				}
				return false, 0
			default: // not accepted, so not sent
			}
		}
	}
}

// stopping reports progress until work has ended, and returns its error.
func stopping(ended <-chan error, requests <-chan svc.ChangeRequest, reports chan<- svc.Status) error {
	ticker := time.NewTicker(alive)
	defer ticker.Stop()
	status := svc.Status{State: svc.StopPending, WaitHint: waitHint}
	for {
		status.CheckPoint++
		reports <- status
		select {
		case err := <-ended:
			return err
		case <-ticker.C:
		case <-requests: // a request for the status, or to stop once more
		}
	}
}
