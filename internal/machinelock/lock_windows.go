package machinelock

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"
)

// name is machine-wide: names under Global\ are seen from every session
// (https://learn.microsoft.com/windows/win32/termserv/kernel-object-namespaces).
const name = `Global\vaultpane-agent`

func place(string) string { return name }

// try makes the named mutex. Its existence is the lock: Windows removes it when the last handle closes, and with it when
// the process ends, killed or not. Owning the mutex would tie it to an operating system thread, which goroutines are not
// (https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexw).
func try(string) error {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return fmt.Errorf("naming the mutex: %w", err)
	}
	handle, err := windows.CreateMutex(nil, false, text)
	if errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		_ = windows.CloseHandle(handle) // else the waiting process would keep it alive
		return errHeld
	}
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		return errHeld // made by an agent under another account
	}
	if err != nil {
		return fmt.Errorf("creating the mutex %s: %w", name, err)
	}
	return nil // the handle stays open as long as the process lives
}

// isHeld looks for the named mutex.
// https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openmutexw
func isHeld(string) (bool, error) {
	text, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return false, fmt.Errorf("naming the mutex: %w", err)
	}
	handle, err := windows.OpenMutex(windows.SYNCHRONIZE, false, text)
	switch {
	case err == nil:
		_ = windows.CloseHandle(handle) // a handle for reading only
		return true, nil
	case errors.Is(err, windows.ERROR_FILE_NOT_FOUND):
		return false, nil
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return true, nil // made by an agent under another account
	}
	return false, fmt.Errorf("opening the mutex %s: %w", name, err)
}
