package services

import (
	"errors"
	"fmt"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
	"golang.org/x/sys/windows/svc/mgr"
)

// calls is held during a call of the service control manager. Wine's client of it returns ERROR_INVALID_HANDLE when two threads of a
// process call it at once. They take milliseconds; StartService and ControlService, which wait for the service, do without.
var calls sync.Mutex

// open returns a service, which the caller closes, or nil if the machine does not have it
// (https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-openservicew).
func open(name string, rights uint32) (*mgr.Service, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	calls.Lock()
	defer calls.Unlock()
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT)
	if err != nil {
		return nil, fmt.Errorf("connecting to the service control manager: %w", err)
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }()
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, fmt.Errorf("service %q: %w", name, err)
	}
	handle, err := windows.OpenService(manager, text, rights)
	if errors.Is(err, windows.ERROR_SERVICE_DOES_NOT_EXIST) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the service %s: %w", name, err)
	}
	return &mgr.Service{Name: name, Handle: handle}, nil
}

func closeService(service *mgr.Service) {
	calls.Lock()
	defer calls.Unlock()
	_ = service.Close()
}

// query returns the state of a service
// (https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-queryservicestatusex).
func query(service *mgr.Service) (svc.Status, error) {
	calls.Lock()
	defer calls.Unlock()
	status, err := service.Query()
	if err != nil {
		return svc.Status{}, fmt.Errorf("reading the state of the service %s: %w", service.Name, err)
	}
	return status, nil
}

// configuration returns the start type and the account of a service
// (https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-queryserviceconfigw).
func configuration(service *mgr.Service) (startType uint32, account string, err error) {
	const largest = 8 << 10        // bytes, by the documentation
	var buffer [largest / 8]uint64 // aligned
	config := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buffer))
	size := uint32(largest)
	calls.Lock()
	defer calls.Unlock()
	if err := windows.QueryServiceConfig(service.Handle, config, size, &size); err != nil {
		return 0, "", fmt.Errorf("reading the configuration of the service %s: %w", service.Name, err)
	}
	return config.StartType, windows.UTF16PtrToString(config.ServiceStartName), nil
}

// Account returns the account that a service runs as, and its security identifier if it is a built-in one. exists is false if the
// machine does not have the service.
func Account(name string) (account, sid string, exists bool, err error) {
	service, err := open(name, windows.SERVICE_QUERY_CONFIG)
	if err != nil || service == nil {
		return "", "", false, err
	}
	defer closeService(service)
	_, configured, err := configuration(service)
	if err != nil {
		return "", "", false, err
	}
	computer, err := windows.ComputerName()
	if err != nil {
		return "", "", false, fmt.Errorf("reading the machine's name: %w", err)
	}
	found := accountOf(configured, computer)
	return found.name, found.sid, true, nil
}

// StartedAt returns when the process of a service started, and the zero time if it does not run or that cannot be determined
// (https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes).
func StartedAt(name string) time.Time {
	service, err := open(name, windows.SERVICE_QUERY_STATUS)
	if err != nil || service == nil {
		return time.Time{}
	}
	defer closeService(service)
	status, err := query(service)
	if err != nil || status.ProcessId == 0 {
		return time.Time{}
	}
	process, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, status.ProcessId)
	if err != nil {
		return time.Time{}
	}
	defer func() { _ = windows.CloseHandle(process) }()
	var created, exited, kernel, user windows.Filetime
	if err := windows.GetProcessTimes(process, &created, &exited, &kernel, &user); err != nil {
		return time.Time{}
	}
	return time.Unix(0, created.Nanoseconds())
}
