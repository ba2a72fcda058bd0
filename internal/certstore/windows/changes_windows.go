package windows

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// changes tells whether a registry key was changed, by any process. It may report a change that was none, and never misses one:
// the kernel sets the event before the change returns
// (https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regnotifychangekeyvalue).
type changes struct {
	key, event windows.Handle
	filter     uint32
	deep       bool // with the keys below it
	expected   bool // the event is set at the next change
}

// openChanges opens the changes of a store; the caller closes them.
func openChanges(ref certstore.Ref) (*changes, error) {
	key, err := openStoreKey(ref)
	if err != nil {
		return nil, fmt.Errorf("opening the registry key of the store: %w", err)
	}
	return changesOf(key, notifyFilter, true)
}

// openListChanges opens the changes of the list of the machine's stores: one was created or removed.
func openListChanges() (*changes, error) {
	key, err := openKey(windows.HKEY_LOCAL_MACHINE, storesKey)
	if err != nil {
		return nil, fmt.Errorf("opening the registry key of the machine's stores: %w", err)
	}
	return changesOf(key, windows.REG_NOTIFY_CHANGE_NAME|windows.REG_NOTIFY_THREAD_AGNOSTIC, false)
}

// elsewhereKeys are the registry keys of certificates that Windows shows in the machine's stores and keeps in other places: those of
// group policies and of the domain (https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
var elsewhereKeys = []string{`Software\Policies\Microsoft\SystemCertificates`, `Software\Microsoft\EnterpriseCertificates`}

// openElsewhere opens the changes of one of elsewhereKeys.
func openElsewhere(name string) (*changes, error) {
	key, err := openKey(windows.HKEY_LOCAL_MACHINE, name)
	if err != nil {
		return nil, fmt.Errorf("opening the registry key %s: %w", name, err)
	}
	return changesOf(key, notifyFilter, true)
}

// changesOf takes over the key.
func changesOf(key windows.Handle, filter uint32, deep bool) (*changes, error) {
	event, err := windows.CreateEvent(nil, 1, 0, nil) // stays set until expect
	if err != nil {
		return nil, errors.Join(err, windows.RegCloseKey(key))
	}
	return &changes{key: key, event: event, filter: filter, deep: deep}, nil
}

// expect forgets earlier changes: only later ones have happened.
func (c *changes) expect() error {
	c.expected = false
	if err := windows.ResetEvent(c.event); err != nil {
		return err
	}
	err := windows.RegNotifyChangeKeyValue(c.key, c.deep, c.filter, c.event, true)
	c.expected = err == nil
	return err
}

// happened reports whether there was a change since expect, or may have been.
func (c *changes) happened() bool {
	if !c.expected {
		return true
	}
	which, err := windows.WaitForSingleObject(c.event, 0)
	return err != nil || which != uint32(windows.WAIT_TIMEOUT)
}

func (c *changes) close() {
	c.expected = false
	_ = windows.CloseHandle(c.event) // our handles, which are open
	_ = windows.RegCloseKey(c.key)
}
