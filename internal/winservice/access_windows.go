package winservice

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc/mgr"
)

// connect opens the service control manager with the given rights
// (https://learn.microsoft.com/windows/win32/services/service-security-and-access-rights). The caller disconnects.
func connect(rights uint32) (*mgr.Mgr, error) {
	handle, err := windows.OpenSCManager(nil, nil, rights)
	if err != nil {
		return nil, explain("connecting to the service control manager", err)
	}
	return &mgr.Mgr{Handle: handle}, nil
}

// open returns a service, which the caller closes, or nil for one that is not installed.
func open(name string, rights uint32) (*mgr.Service, error) {
	manager, err := connect(windows.SC_MANAGER_CONNECT)
	if err != nil {
		return nil, err
	}
	defer disconnect(manager)
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("service %q: %w", name, err)
	}
	handle, err := windows.OpenService(manager.Handle, text, rights)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil, nil
	}
	if err != nil {
		return nil, explain("opening service "+name, err)
	}
	return &mgr.Service{Name: name, Handle: handle}, nil
}

func disconnect(manager *mgr.Mgr) { _ = manager.Disconnect() }

func closeService(service *mgr.Service) { _ = service.Close() }

// advice is what to do about a status of the service functions
// (https://learn.microsoft.com/windows/win32/debug/system-error-codes--1000-1299-).
var advice = map[error]string{
	windows.ERROR_ACCESS_DENIED:              "run this command as administrator",
	windows.ERROR_SERVICE_MARKED_FOR_DELETE:  "it is being removed: close programs that show it, such as the list of services",
	windows.ERROR_SERVICE_DISABLED:           "enable it with: service install",
	windows.ERROR_FILE_NOT_FOUND:             "the program is missing: install the service again with the path it has now",
	windows.ERROR_PATH_NOT_FOUND:             "the program is missing: install the service again with the path it has now",
	windows.ERROR_SERVICE_REQUEST_TIMEOUT:    "the program did not report to the service control manager in time; it has ended, or could not read its settings: see the Application log, where it is a source of its own, and its log",
	windows.ERROR_DEPENDENT_SERVICES_RUNNING: "stop the services that depend on it first",
}

// explain adds the advice to an error, which stays in the chain.
func explain(act string, err error) error {
	if err == nil {
		return nil
	}
	for status, text := range advice {
		if errors.Is(err, status) {
			return fmt.Errorf("%s: %w: %s", act, err, text)
		}
	}
	return fmt.Errorf("%s: %w", act, err)
}
