package services

import (
	"sync"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// State is what is known of a service.
type State struct {
	// Exists is true if the machine has the service.
	Exists bool
	// Stopped is true if it does not run.
	Stopped bool
	// Interrupted is true if it does not run, or is stopping, because it is being restarted: it must run again.
	Interrupted bool
	// Thumbprint is the certificate for which it was last restarted for the owner, or that was in place while it did not run.
	Thumbprint string
	// RestartedAt is when it was last restarted, for any owner.
	RestartedAt time.Time
}

// restarts has a lock for each service. While it is held, the service is being restarted, and its intent is in use.
var restarts sync.Map

func lockOf(name string) *sync.Mutex {
	lock, _ := restarts.LoadOrStore(foldName(name), &sync.Mutex{})
	return lock.(*sync.Mutex) //nolint:forcetypeassert // only locks are stored
}

// Read returns what is known of a service, for an owner. It removes an intent that was fulfilled: that of a service which runs.
func Read(name, owner string) (State, error) {
	if err := checkOwner(owner); err != nil {
		return State{}, err
	}
	service, err := open(name, windows.SERVICE_QUERY_STATUS)
	if err != nil || service == nil {
		return State{}, err
	}
	defer closeService(service)
	status, err := query(service)
	if err != nil {
		return State{}, err
	}
	kept, err := readRecord(name, owner)
	if err != nil {
		return State{}, err
	}
	stopped := status.State == svc.Stopped
	if kept.stopping != nil && status.State == svc.Running {
		if err := forget(service); err != nil {
			return State{}, err
		}
	}
	return State{
		Exists: true, Stopped: stopped, Interrupted: kept.stopping != nil && (stopped || status.State == svc.StopPending),
		Thumbprint: kept.thumbprint, RestartedAt: kept.restartedAt,
	}, nil
}

// forget removes the intent of a service that runs, unless it is being restarted. Otherwise the service would be started, long
// after, when a person has stopped it.
func forget(service *mgr.Service) error {
	lock := lockOf(service.Name)
	if !lock.TryLock() {
		return nil
	}
	defer lock.Unlock()
	status, err := query(service) // again, as a restart may have ended in between, and failed
	if err != nil || status.State != svc.Running {
		return err
	}
	return clearIntent(service.Name)
}
