package keys

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// ourContainer matches exactly the names of Vaultpane's containers.
var ourContainer = regexp.MustCompile(`^` + prefix + `[0-9A-F]{40}(-x)?$`)

// Place identifies a container across CAPI and CNG. Windows' key storage provider lists containers of CAPI too, so a container
// that is in use under either kind of provider is not orphaned.
type Place struct {
	name    string // in lower case
	machine bool
}

// Place returns the container's place.
func (c Container) Place() Place { return Place{strings.ToLower(c.Name), c.Machine} }

// List returns Vaultpane's containers in a location, by name, in CAPI and in CNG.
func List(location certstore.Location) ([]Container, error) {
	var found []Container
	for _, capi := range []bool{true, false} {
		prototype := For(location, "", false, capi)
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
				one.Name = name
				found = append(found, one)
			}
		}
	}
	return found, nil
}

// capiNames returns the names of all containers of the provider
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetprovparam, PP_ENUMCONTAINERS).
func (c Container) capiNames() (names []string, err error) {
	provider, err := windows.UTF16PtrFromString(c.Provider)
	if err != nil {
		return nil, err
	}
	flags := uint32(windows.CRYPT_VERIFYCONTEXT | windows.CRYPT_SILENT) // no container is opened
	if c.Machine {
		flags |= windows.CRYPT_MACHINE_KEYSET
	}
	var handle windows.Handle
	if err := windows.CryptAcquireContext(&handle, nil, provider, c.ProviderType, flags); err != nil {
		return nil, fmt.Errorf("opening the provider %s: %w", c.Provider, err)
	}
	defer func() { err = errors.Join(err, release(handle)) }()
	// Windows takes the location from the handle. Wine 8 requires the flag here too, which Windows may reject.
	names, err = enumerateContainers(handle, flags&windows.CRYPT_MACHINE_KEYSET)
	if winerror.Is(err, windows.Errno(windows.NTE_BAD_FLAGS)) {
		names, err = enumerateContainers(handle, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("listing the key containers of %s: %w", c.Provider, err)
	}
	return names, nil
}

func enumerateContainers(provider windows.Handle, flags uint32) (names []string, err error) {
	for position := uint32(wincrypt.CRYPT_FIRST); ; position = wincrypt.CRYPT_NEXT {
		var name [1024]byte // a name has at most MAX_PATH characters
		size := uint32(len(name))
		err := wincrypt.CryptGetProvParam(provider, wincrypt.PP_ENUMCONTAINERS, &name[0], &size, position|flags)
		if winerror.Is(err, windows.ERROR_NO_MORE_ITEMS) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		text, _, _ := bytes.Cut(name[:], []byte{0})
		names = append(names, string(text))
	}
}

// cngNames returns the names of all keys of the provider. The system allocates each name and the enumeration state; both are freed
// here (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptenumkeys).
func (c Container) cngNames() (names []string, err error) {
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
			if winerror.Is(err, windows.Errno(windows.NTE_NO_MORE_ITEMS)) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("listing the keys of %s: %w", c.Provider, err)
			}
			if name.LegacyKeySpec == 0 { // otherwise it is a container of CAPI, which capiNames returns
				names = append(names, windows.UTF16PtrToString(name.Name))
			}
			_ = wincrypt.NCryptFreeBuffer(unsafe.Pointer(name))
		}
	})
	if winerror.Is(err, windows.Errno(windows.NTE_NOT_SUPPORTED), windows.ERROR_PROC_NOT_FOUND) {
		return nil, nil // this system does not support CNG
	}
	return names, err
}
