package winservice

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// recovery is what the service control manager does after the first, the second and every further failure in recoveryPeriod. A
// certificate that expires is worse than an agent that restarts every minute.
var recovery = []mgr.RecoveryAction{
	{Type: mgr.ServiceRestart, Delay: 5 * time.Second},
	{Type: mgr.ServiceRestart, Delay: 30 * time.Second},
	{Type: mgr.ServiceRestart, Delay: time.Minute},
}

// recoveryPeriod is how long the service must run without failure to start again with the first action.
const recoveryPeriod = 24 * time.Hour

// Install creates the service, or gives an existing one this configuration, whatever was changed in it; it counts from the next
// start. The service runs as LocalSystem, starts some minutes after the system, and is restarted after a failure. Events of its
// name can be written afterwards. It is not started.
//
// The text says what was done, in part of a sentence. An error for a new service leaves none.
func Install(c Config) (done string, err error) {
	if c.Name == "" || strings.ContainsAny(c.Name, `/\`) {
		return "", fmt.Errorf("service %q: a name is needed, without slash and backslash", c.Name)
	}
	if !filepath.IsAbs(c.Executable) {
		return "", fmt.Errorf("service %s: the path of the program must be absolute: %q", c.Name, c.Executable)
	}
	existing, err := open(c.Name, windows.SERVICE_ALL_ACCESS)
	if err != nil {
		return "", err
	}
	if existing != nil {
		defer closeService(existing)
		missing, err := configure(existing, c)
		if err != nil {
			return "", err
		}
		return "was installed already; configuration updated" + missing, nil
	}
	created, err := create(c)
	if err != nil {
		return "", err
	}
	defer closeService(created)
	missing, err := configure(created, c)
	if err != nil {
		return "", errors.Join(err, created.Delete(), removeSource(c.Name))
	}
	return "installed" + missing, nil
}

func create(c Config) (*mgr.Service, error) {
	manager, err := connect(windows.SC_MANAGER_CONNECT | windows.SC_MANAGER_CREATE_SERVICE)
	if err != nil {
		return nil, err
	}
	defer disconnect(manager)
	created, err := manager.CreateService(c.Name, c.Executable, mgr.Config{StartType: mgr.StartManual}, c.Arguments...)
	if err != nil {
		return nil, explain("creating service "+c.Name, err)
	}
	return created, nil
}

// configure sets everything but the name, in the same way for a new and an existing service. missing says what the system does
// not support.
func configure(service *mgr.Service, c Config) (missing string, err error) {
	if err := setBasics(service, c); err != nil {
		return "", explain("configuring service "+c.Name, err)
	}
	if err := service.SetRecoveryActions(recovery, uint32(recoveryPeriod.Seconds())); err != nil {
		return "", explain("setting the restart after failures of service "+c.Name, err)
	}
	for _, option := range []struct {
		name string
		set  func() error
	}{
		{"delayed start", func() error { return setDelayedStart(service) }},
		{"restart after an exit code", func() error { return service.SetRecoveryActionsOnNonCrashFailures(true) }},
	} {
		err := option.set()
		switch {
		case errors.Is(err, windows.ERROR_INVALID_LEVEL): // no Windows since Vista
			missing += "; this system does not support: " + option.name
		case err != nil:
			return "", explain("setting "+option.name+" of service "+c.Name, err)
		}
	}
	return missing, explain("registering events of "+c.Name, createSource(c.Name))
}
