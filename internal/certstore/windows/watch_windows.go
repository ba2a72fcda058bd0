package windows

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// notifyFilter is every change below a store's registry key, for any thread of this process to wait for.
const notifyFilter = windows.REG_NOTIFY_CHANGE_NAME | windows.REG_NOTIFY_CHANGE_LAST_SET | windows.REG_NOTIFY_THREAD_AGNOSTIC

// watch calls changed once when it starts to watch, and after each change of a store by any process, until the context ends;
// then it returns nil. Several quick changes may cause one call, and one change several. It calls changed in the same
// goroutine, and a change during a call causes another call. It is a fast path: a deleted key is not a change of the store. If
// the store does not exist, the error is ERROR_FILE_NOT_FOUND.
//
// Windows' own notification for stores (CertControlStore with CERT_STORE_CTRL_NOTIFY_CHANGE,
// https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcontrolstore) is RegNotifyChangeKeyValue on the
// registry key of the store. This code calls that function directly: it does not need an open store, it is independent of the
// calling thread, which Go may change, and Wine implements it, while Wine's CertControlStore signals nothing.
func watch(ctx context.Context, ref certstore.Ref, changed func()) (err error) {
	key, err := openStoreKey(ref)
	if err != nil {
		return fmt.Errorf("opening the registry key of the store: %w", err)
	}
	defer func() { err = errors.Join(err, windows.RegCloseKey(key)) }()
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, windows.CloseHandle(event)) }()
	ended, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, windows.CloseHandle(ended)) }()
	signalled := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(signalled)
		_ = windows.SetEvent(ended) // our handle, which is open until this returns
	})
	defer func() {
		if !stop() { // it is running or has finished
			<-signalled
		}
	}()
	return eachChange(key, event, ended, changed)
}

// eachChange waits for changes of a key until the event ended is set. It registers for the next change before it reports one, so it
// misses none (https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regnotifychangekeyvalue).
func eachChange(key, event, ended windows.Handle, changed func()) error {
	for {
		if err := windows.RegNotifyChangeKeyValue(key, true, notifyFilter, event, true); err != nil {
			return fmt.Errorf("registering for the next change of the store: %w", err)
		}
		changed()
		which, err := windows.WaitForMultipleObjects([]windows.Handle{ended, event}, false, windows.INFINITE)
		if err != nil {
			return fmt.Errorf("waiting for a change of the store: %w", err)
		}
		if which == windows.WAIT_OBJECT_0 {
			return nil
		}
	}
}

// storesKey is the registry key of a location's stores (https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
const storesKey = `Software\Microsoft\SystemCertificates`

// openStoreKey opens the registry key of a store for notifications; the caller closes it with RegCloseKey.
func openStoreKey(ref certstore.Ref) (windows.Handle, error) {
	store, err := openStore(ref, false) // checks the name and that the store exists
	if err != nil {
		return 0, err
	}
	if err := closeStore(store); err != nil {
		return 0, err
	}
	root := windows.Handle(windows.HKEY_LOCAL_MACHINE)
	if ref.Location == certstore.CurrentUser {
		root = windows.HKEY_CURRENT_USER
	}
	return openKey(root, storesKey+`\`+ref.Name)
}

func openKey(root windows.Handle, name string) (key windows.Handle, err error) {
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return 0, err
	}
	err = windows.RegOpenKeyEx(root, path, 0, windows.KEY_NOTIFY, &key)
	return key, err
}
