package services

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
)

// Restart is a service to restart, and why.
type Restart struct {
	// Service is its name.
	Service string
	// Owner is the name of the ObservedCertificate, and Thumbprint its version, which is in the store. Without a thumbprint, Run only
	// ends a restart that was interrupted.
	Owner, Thumbprint string
	// Seen is State.RestartedAt when the restart was decided.
	Seen time.Time
}

// rights are what a restart needs
// (https://learn.microsoft.com/windows/win32/services/service-security-and-access-rights).
const rights = windows.SERVICE_START | windows.SERVICE_STOP | windows.SERVICE_QUERY_STATUS | windows.SERVICE_QUERY_CONFIG |
	windows.SERVICE_ENUMERATE_DEPENDENTS

// Run stops the service, starts it, and waits until it runs. A service that does not run is not started, unless a restart of it was
// interrupted: its certificate is only noted, so that it is not restarted after it has started with it. It takes at most limit for each of stopping and starting. When the context ends after the service was asked to stop, it
// goes on for some seconds, so that an agent which ends leaves no service stopped.
//
// Nothing is stopped if that could stop more than the service, or if it could not be started again: a service with dependents that
// run, one that is disabled, one that accepts no request to stop.
func (r Restart) Run(ctx context.Context) error {
	if err := r.check(); err != nil {
		return err
	}
	lock := lockOf(r.Service)
	lock.Lock()
	defer lock.Unlock()
	service, err := open(r.Service, rights)
	if err != nil {
		return err
	}
	if service == nil {
		return fmt.Errorf("this machine has no service %s any more", r.Service)
	}
	defer closeService(service)
	return r.run(ctx, service)
}

func (r Restart) check() error {
	if err := checkOwner(r.Owner); err != nil || r.Thumbprint == "" {
		return err
	}
	_, err := thumbprint.Bytes(r.Thumbprint)
	return err
}

// done is what a restart is noted for.
func (r Restart) done() []intent {
	if r.Thumbprint == "" {
		return nil
	}
	return []intent{{r.Owner, r.Thumbprint}}
}

func (r Restart) run(ctx context.Context, service *mgr.Service) error {
	kept, err := readRecord(r.Service, r.Owner)
	if err != nil {
		return err
	}
	if !kept.restartedAt.Equal(r.Seen) {
		return fmt.Errorf("the service %s was restarted for another certificate in the meantime", r.Service)
	}
	status, err := settled(ctx, service)
	if err != nil {
		return err
	}
	done := r.done()
	switch {
	case kept.stopping != nil && (status.State == svc.Stopped || status.State == svc.StopPending):
		done = append(whose(*kept.stopping), done...) // its certificate too was in the store before the service stopped
	case len(done) == 0:
		return fmt.Errorf("the service %s is restarted for a certificate, and there is none", r.Service)
	case status.State == svc.Stopped:
		return writeVersions(r.Service, done...) // it reads the certificate when it starts
	case status.State == svc.StopPending:
		return fmt.Errorf("the service %s is being stopped by another program", r.Service)
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		if err := restartable(service, status); err != nil {
			return err
		}
		if err := writeIntent(r.Service, done[0]); err != nil {
			return err
		}
	}
	if err := cycle(ctx, service); err != nil {
		return err
	}
	return writeDone(r.Service, time.Now(), done...)
}

// whose returns the intent in a list, unless it has no owner.
func whose(kept intent) []intent {
	if checkOwner(kept.owner) != nil {
		return nil
	}
	return []intent{kept}
}

// restartable returns an error for a service that must not be stopped.
func restartable(service *mgr.Service, status svc.Status) error {
	startType, _, err := configuration(service)
	if err != nil {
		return err
	}
	if startType == windows.SERVICE_DISABLED {
		return fmt.Errorf("the service %s runs and is disabled, so it could not be started again, and was not stopped; enable it", service.Name)
	}
	if status.Accepts&svc.AcceptStop == 0 {
		return fmt.Errorf("the service %s accepts no request to stop; restart it by other means", service.Name)
	}
	// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-enumdependentservicesw
	calls.Lock()
	dependents, err := service.ListDependentServices(svc.Active)
	calls.Unlock()
	if err != nil {
		return fmt.Errorf("listing the services that depend on %s: %w", service.Name, err)
	}
	return noDependents(service.Name, dependents)
}

func noDependents(name string, dependents []string) error {
	if len(dependents) == 0 {
		return nil
	}
	return fmt.Errorf("the service %s was not restarted, because services that depend on it run: %s. Windows would have to stop them too. "+
		"Restart them by hand, or let the entry name a service without dependents", name, strings.Join(dependents, ", "))
}

// cycle stops a service whose intent is written, and starts it. After an error the intent stays where the service may have stopped.
func cycle(ctx context.Context, service *mgr.Service) error {
	ctx, cancel := lenient(ctx)
	defer cancel()
	if err := stop(ctx, service); err != nil {
		return err
	}
	// https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-startservicew
	if err := service.Start(); err != nil && !errors.Is(err, windows.ERROR_SERVICE_ALREADY_RUNNING) {
		return fmt.Errorf("starting the service %s, which was stopped to be restarted: %w", service.Name, err)
	}
	status, err := await(ctx, service, "start", func(state svc.State) bool { return state == svc.Running || state == svc.Stopped })
	if err != nil {
		return err
	}
	if status.State == svc.Stopped {
		return fmt.Errorf("the service %s was stopped to be restarted, and ended while it started, with exit code %d; its log and the event log say why",
			service.Name, exitCode(status))
	}
	return nil
}

// stop asks a service to stop, and waits until it has
// (https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-controlservice).
func stop(ctx context.Context, service *mgr.Service) error {
	status, err := query(service)
	if err != nil {
		return err
	}
	if status.State != svc.Stopped && status.State != svc.StopPending {
		if _, err := service.Control(svc.Stop); err != nil && !errors.Is(err, windows.ERROR_SERVICE_NOT_ACTIVE) {
			// It was not stopped. If this fails too, Read removes the intent while the service runs.
			return errors.Join(fmt.Errorf("stopping the service %s: %w", service.Name, err), clearIntent(service.Name))
		}
	}
	_, err = await(ctx, service, "stop", func(state svc.State) bool { return state == svc.Stopped })
	return err
}

func exitCode(status svc.Status) uint32 {
	if status.Win32ExitCode == uint32(windows.ERROR_SERVICE_SPECIFIC_ERROR) {
		return status.ServiceSpecificExitCode
	}
	return status.Win32ExitCode
}
