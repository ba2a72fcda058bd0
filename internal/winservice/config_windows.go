package winservice

import (
	"cmp"
	"errors"
	"unsafe"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc/eventlog"
	"golang.org/x/sys/windows/svc/mgr"
)

// setBasics sets what ChangeServiceConfig does
// (https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-changeserviceconfigw), and the description. It is not
// mgr.Service.UpdateConfig, which fails as a whole where one part is not supported.
func setBasics(service *mgr.Service, c Config) error {
	commandLine := windows.ComposeCommandLine(append([]string{c.Executable}, c.Arguments...))
	const noPassword = "" // as the documentation asks for with LocalSystem; nil would leave that of another account
	var texts [5]*uint16
	for i, text := range []string{commandLine, "LocalSystem", noPassword, cmp.Or(c.DisplayName, c.Name), c.Description} {
		var err error
		if texts[i], err = windows.UTF16PtrFromString(text); err != nil {
			return err
		}
	}
	err := windows.ChangeServiceConfig(service.Handle, windows.SERVICE_WIN32_OWN_PROCESS, windows.SERVICE_AUTO_START,
		windows.SERVICE_ERROR_NORMAL, texts[0], nil, nil, nil, texts[1], texts[2], texts[3])
	if err != nil {
		return err
	}
	description := windows.SERVICE_DESCRIPTION{Description: texts[4]}
	return windows.ChangeServiceConfig2(service.Handle, windows.SERVICE_CONFIG_DESCRIPTION, (*byte)(unsafe.Pointer(&description)))
}

// setDelayedStart has the service started after those that the system itself needs
// (https://learn.microsoft.com/windows/win32/api/winsvc/ns-winsvc-service_delayed_auto_start_info): the network is up then.
func setDelayedStart(service *mgr.Service) error {
	delayed := windows.SERVICE_DELAYED_AUTO_START_INFO{IsDelayedAutoStartUp: 1}
	return windows.ChangeServiceConfig2(service.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
		(*byte)(unsafe.Pointer(&delayed)))
}

// delayedStart is false where the system does not support it.
func delayedStart(service *mgr.Service) bool {
	var delayed windows.SERVICE_DELAYED_AUTO_START_INFO
	size := uint32(unsafe.Sizeof(delayed))
	err := windows.QueryServiceConfig2(service.Handle, windows.SERVICE_CONFIG_DELAYED_AUTO_START_INFO,
		(*byte)(unsafe.Pointer(&delayed)), size, &size)
	return err == nil && delayed.IsDelayedAutoStartUp != 0
}

// basics returns the start type and the command line.
func basics(service *mgr.Service) (startType uint32, commandLine string, err error) {
	const largest = 8 << 10        // bytes, by the documentation of QueryServiceConfigW
	var buffer [largest / 8]uint64 // aligned
	config := (*windows.QUERY_SERVICE_CONFIG)(unsafe.Pointer(&buffer))
	size := uint32(largest)
	if err := windows.QueryServiceConfig(service.Handle, config, size, &size); err != nil {
		return 0, "", err
	}
	return config.StartType, windows.UTF16PtrToString(config.BinaryPathName), nil
}

// createSource registers the service as a source of events
// (https://learn.microsoft.com/windows/win32/eventlog/event-sources), whose text EventCreate.exe has, as of its own events.
func createSource(name string) error {
	if err := removeSource(name); err != nil { // eventlog refuses to replace one
		return err
	}
	return eventlog.InstallAsEventCreate(name, eventlog.Error|eventlog.Warning|eventlog.Info)
}

func removeSource(name string) error {
	err := eventlog.Remove(name)
	if errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	return err
}
