package winservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

const (
	// startLimit is longer than the 30 s after which the service control manager gives up on a program that does not report
	// (https://learn.microsoft.com/windows/win32/services/service-startup).
	startLimit = 40 * time.Second
	stopLimit  = 30 * time.Second
	// removeLimit is for programs that look at a service that was deleted: it goes when the last handle closes.
	removeLimit = 5 * time.Second
)

// Start starts the service and waits until it runs. The text says what was done; out is told what is waited for. An error says
// that it is not installed, ended at once, or takes too long.
func Start(ctx context.Context, name string, out io.Writer) (done string, err error) {
	service, err := openInstalled(name)
	if err != nil {
		return "", err
	}
	defer closeService(service)
	status, err := query(service)
	if err != nil {
		return "", err
	}
	if status.State == svc.Running {
		return "was running already", nil
	}
	if status.State == svc.StopPending { // else starting it is an error
		if _, err := await(ctx, service, svc.Stopped, stopLimit, out); err != nil {
			return "", err
		}
	}
	if err := service.Start(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
		return "", explain("starting service "+name, err)
	}
	status, err = await(ctx, service, svc.Running, startLimit, out)
	if err != nil {
		return "", err
	}
	if status.State != svc.Running {
		return "", fmt.Errorf("service %s ended while it started, with exit code %d; its log and the Application event log say why",
			name, exitCode(status))
	}
	return "started", nil
}

// Stop stops the service and waits until it has ended. The text says what was done; out is told what is waited for. An error
// says that it is not installed, or takes too long.
func Stop(ctx context.Context, name string, out io.Writer) (done string, err error) {
	service, err := openInstalled(name)
	if err != nil {
		return "", err
	}
	defer closeService(service)
	stopped, err := stop(ctx, service, out)
	switch {
	case err != nil:
		return "", err
	case stopped:
		return "stopped", nil
	}
	return "was stopped already", nil
}

// Uninstall stops the service, deletes it, and removes it as a source of events. Events that it wrote stay. The text says what
// was done; a service that is not installed is no error. out is told what is waited for.
func Uninstall(ctx context.Context, name string, out io.Writer) (done string, err error) {
	service, err := open(name, windows.SERVICE_ALL_ACCESS)
	if err != nil {
		return "", err
	}
	if service == nil {
		return "was not installed", explain("removing the source of events "+name, removeSource(name))
	}
	_, err = stop(ctx, service, out)
	if err == nil {
		err = explain("deleting service "+name, service.Delete())
	}
	closeService(service)
	if err != nil {
		return "", err
	}
	if err := removeSource(name); err != nil {
		return "", explain("removing the source of events "+name, err)
	}
	if !gone(ctx, name) {
		return "uninstalled; Windows removes it when the programs that show it, such as the list of services, are closed", nil
	}
	return "uninstalled", nil
}

// stop reports false for a service that was not running.
func stop(ctx context.Context, service *mgr.Service, out io.Writer) (stopped bool, err error) {
	for deadline := time.Now().Add(stopLimit); ; {
		status, err := query(service)
		if err != nil {
			return false, err
		}
		if status.State == svc.Stopped {
			return stopped, nil
		}
		stopped = true
		if status.State != svc.StopPending {
			_, err = service.Control(svc.Stop)
		}
		// A service that starts does not accept the request yet.
		if errors.Is(err, windows.ERROR_SERVICE_CANNOT_ACCEPT_CTRL) && time.Now().Before(deadline) {
			if err := pause(ctx, interval); err != nil {
				return false, err
			}
			continue
		}
		if err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			return false, explain("stopping service "+service.Name, err)
		}
		_, err = await(ctx, service, svc.Stopped, time.Until(deadline), out)
		return err == nil, err
	}
}

// gone waits until a deleted service no longer exists.
func gone(ctx context.Context, name string) bool {
	for deadline := time.Now().Add(removeLimit); time.Now().Before(deadline); {
		service, err := open(name, windows.SERVICE_QUERY_STATUS)
		if err == nil && service == nil {
			return true
		}
		if service != nil {
			closeService(service)
		}
		if pause(ctx, interval) != nil {
			return false
		}
	}
	return false
}

func openInstalled(name string) (*mgr.Service, error) {
	service, err := open(name, windows.SERVICE_START|windows.SERVICE_STOP|windows.SERVICE_QUERY_STATUS)
	if err == nil && service == nil {
		return nil, fmt.Errorf("service %s is not installed: install it with: service install", name)
	}
	return service, err
}
