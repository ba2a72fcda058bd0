package windows

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
)

// ourContainer matches the names that containerFor gives, and no other name that begins like them.
var ourContainer = regexp.MustCompile(`^` + ourPrefix + `[0-9A-F]{40}(-x)?$`)

// OrphanedKeys implements certstore.Store.
func (s *Store) OrphanedKeys(location certstore.Location) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	orphans, err := orphanedContainers(location)
	names := make([]string, 0, len(orphans))
	for _, one := range orphans {
		names = append(names, one.name)
	}
	return names, failure("looking for private keys without certificate", certstore.Ref{Location: location}, err)
}

// RemoveOrphanedKeys implements certstore.Store. One that cannot be removed keeps no other from it.
func (s *Store) RemoveOrphanedKeys(location certstore.Location) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	orphans, err := orphanedContainers(location)
	failed := []error{err}
	removed := 0
	for _, one := range orphans {
		err := one.delete()
		failed = append(failed, err)
		if err == nil {
			removed++
		}
	}
	return removed, failure("removing private keys without certificate", certstore.Ref{Location: location}, errors.Join(failed...))
}

// orphanedContainers returns Vaultpane's containers that no certificate refers to. A user's store may refer to a key of the
// machine too. Where a store cannot be read, nothing is known.
func orphanedContainers(location certstore.Location) ([]container, error) {
	candidates, err := ourContainers(location)
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	used := map[place]bool{}
	for _, one := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		there, err := usedContainers(one)
		if err != nil {
			return nil, err
		}
		for _, container := range there {
			used[placeOf(container)] = true
		}
	}
	return slices.DeleteFunc(candidates, func(c container) bool { return used[placeOf(c)] }), nil
}

// place is what containers of CAPI and CNG have in common. Windows' key storage provider shows containers of CAPI too, so one that
// is in use under either kind of provider is not orphaned.
type place struct {
	name    string // in lower case
	machine bool
}

func placeOf(c container) place { return place{strings.ToLower(c.name), c.machine} }

// ourContainers returns the containers in a location that have a name of Vaultpane's, in CAPI and in CNG.
func ourContainers(location certstore.Location) ([]container, error) {
	var found []container
	for _, capi := range []bool{true, false} {
		prototype := containerFor(location, "", false, capi)
		enumerate := prototype.cngNames
		if capi {
			enumerate = prototype.capiNames
		}
		names, err := enumerate()
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if ourContainer.MatchString(name) {
				one := prototype
				one.name = name
				found = append(found, one)
			}
		}
	}
	return found, nil
}

// capiNames returns the names of all containers of the provider
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetprovparam, PP_ENUMCONTAINERS).
func (c container) capiNames() (names []string, err error) {
	provider, err := windows.UTF16PtrFromString(c.provider)
	if err != nil {
		return nil, err
	}
	flags := uint32(windows.CRYPT_VERIFYCONTEXT | windows.CRYPT_SILENT) // no container is opened
	if c.machine {
		flags |= windows.CRYPT_MACHINE_KEYSET
	}
	var handle windows.Handle
	if err := windows.CryptAcquireContext(&handle, nil, provider, c.providerType, flags); err != nil {
		return nil, fmt.Errorf("opening the provider %s: %w", c.provider, err)
	}
	defer func() { err = errors.Join(err, release(handle)) }()
	// Windows takes the machine's keys from the handle. Wine 8 asks for the flag once more, which Windows may refuse.
	names, err = enumerateContainers(handle, flags&windows.CRYPT_MACHINE_KEYSET)
	if is(err, windows.Errno(windows.NTE_BAD_FLAGS)) {
		names, err = enumerateContainers(handle, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("listing the key containers of %s: %w", c.provider, err)
	}
	return names, nil
}

func enumerateContainers(provider windows.Handle, flags uint32) (names []string, err error) {
	for position := uint32(wincrypt.CRYPT_FIRST); ; position = wincrypt.CRYPT_NEXT {
		var name [1024]byte // a name has at most MAX_PATH characters
		size := uint32(len(name))
		err := wincrypt.CryptGetProvParam(provider, wincrypt.PP_ENUMCONTAINERS, &name[0], &size, position|flags)
		if is(err, windows.ERROR_NO_MORE_ITEMS) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		text, _, _ := bytes.Cut(name[:], []byte{0})
		names = append(names, string(text))
	}
}

// cngNames returns the names of all keys of the provider. The system allocates each answer, and its place in the list, which
// are freed here (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptenumkeys).
func (c container) cngNames() (names []string, err error) {
	err = c.withProvider(func(provider windows.Handle) error {
		var state unsafe.Pointer
		defer func() {
			if state != nil {
				_ = wincrypt.NCryptFreeBuffer(state)
			}
		}()
		for {
			var name *wincrypt.NCryptKeyName
			err := wincrypt.NCryptEnumKeys(provider, nil, &name, &state, c.cngFlags())
			if is(err, windows.Errno(windows.NTE_NO_MORE_ITEMS)) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("listing the keys of %s: %w", c.provider, err)
			}
			if name.LegacyKeySpec == 0 { // else it is a container of CAPI, which capiNames has
				names = append(names, windows.UTF16PtrToString(name.Name))
			}
			_ = wincrypt.NCryptFreeBuffer(unsafe.Pointer(name))
		}
	})
	if is(err, windows.Errno(windows.NTE_NOT_SUPPORTED), windows.ERROR_PROC_NOT_FOUND) {
		return nil, nil // this system keeps no keys in CNG
	}
	return names, err
}
