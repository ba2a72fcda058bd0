package windows

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// watch calls changed once when it has begun to watch, and after each change of a store, by whichever process, until the
// context ends; then it returns nil. Changes that follow each other closely may be one call, one change may be several.
// changed is called in the same goroutine, and a change meanwhile is another call. It is a fast path: a key that vanishes is
// no change of the store.
// A store that does not exist is ERROR_FILE_NOT_FOUND.
//
// Windows' own notification for stores (CertControlStore with CERT_STORE_CTRL_NOTIFY_CHANGE,
// https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certcontrolstore) is RegNotifyChangeKeyValue on the
// registry key of the store. That is called here directly: it needs no store that is kept open, it does not end with the
// thread that asked, which in Go is any, and Wine, whose CertControlStore signals nothing, has it.
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
		_ = windows.SetEvent(ended) // a handle of our own, open until this has run
	})
	defer func() {
		if !stop() { // it runs, or has run
			<-signalled
		}
	}()
	return eachChange(key, event, ended, changed)
}

// eachChange waits for changes of a key until the handle ended is set. It asks for the next before it tells of one, so that
// none is missed (https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regnotifychangekeyvalue).
func eachChange(key, event, ended windows.Handle, changed func()) error {
	const filter = windows.REG_NOTIFY_CHANGE_NAME | windows.REG_NOTIFY_CHANGE_LAST_SET | windows.REG_NOTIFY_THREAD_AGNOSTIC
	for {
		if err := windows.RegNotifyChangeKeyValue(key, true, filter, event, true); err != nil {
			return fmt.Errorf("asking for the next change of the store: %w", err)
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

// openStoreKey opens the registry key of a store; the caller closes it with RegCloseKey
// (https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
func openStoreKey(ref certstore.Ref) (windows.Handle, error) {
	store, err := openStore(ref, false) // checks the name, and that the store is one
	if err != nil {
		return 0, err
	}
	if err := closeStore(store); err != nil {
		return 0, err
	}
	path, err := windows.UTF16PtrFromString(`Software\Microsoft\SystemCertificates\` + ref.Name)
	if err != nil {
		return 0, err
	}
	root := windows.Handle(windows.HKEY_LOCAL_MACHINE)
	if ref.Location == certstore.CurrentUser {
		root = windows.HKEY_CURRENT_USER
	}
	var key windows.Handle
	err = windows.RegOpenKeyEx(root, path, 0, windows.KEY_NOTIFY, &key)
	return key, err
}
