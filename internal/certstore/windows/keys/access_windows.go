package keys

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// SetAccess replaces the access list (DACL) of the key with that of a security descriptor in SDDL
// (https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format). Owner, group and audit list stay.
func (c Container) SetAccess(sddl string) error {
	descriptor, err := windows.SecurityDescriptorFromString(sddl)
	if err != nil {
		return fmt.Errorf("reading the security descriptor %q: %w", sddl, err)
	}
	if _, _, err := descriptor.DACL(); err != nil { // without a list every user would have full access
		return fmt.Errorf("the security descriptor %q has no access list: %w", sddl, err)
	}
	set := c.cngSetAccess
	if c.ProviderType != 0 {
		set = c.capiSetAccess
	}
	if err := set(descriptor); err != nil {
		return fmt.Errorf("setting the access list of the key %s: %w", c.Name, err)
	}
	return nil
}

// Access returns the access list of the key, in the form of certstore.KeyAccess.
func (c Container) Access() (string, error) {
	get := c.cngAccess
	if c.ProviderType != 0 {
		get = c.capiAccess
	}
	descriptor, err := get()
	if err != nil {
		return "", fmt.Errorf("reading the access list of the key %s: %w", c.Name, err)
	}
	return AccessOf(descriptor)
}

// Inspect reports whether the container exists and its key can be opened, and its access list, empty if that cannot be read. To
// open a container in CAPI takes most of the time of either, so it opens it once.
func (c Container) Inspect() (opens bool, access string) {
	if c.ProviderType == 0 {
		if opens = c.cngOpens(); opens {
			access, _ = c.Access()
		}
		return opens, access
	}
	provider, err := c.acquire(0)
	if err != nil {
		return false, ""
	}
	defer func() { _ = release(provider) }() // the result is known already
	if !c.capiHasKey(provider) {
		return false, ""
	}
	descriptor, err := capiDescriptor(provider)
	if err != nil {
		return true, ""
	}
	access, _ = AccessOf(descriptor)
	return true, access
}

// capiSetAccess sets the access list of a container in CAPI
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptsetprovparam, PP_KEYSET_SEC_DESCR).
//
// Wine 8 always opens the container's audit list too. Once a container has its own list, that requires SeSecurityPrivilege, and a
// process without it enabled gets NTE_BAD_KEYSET.
func (c Container) capiSetAccess(descriptor *windows.SECURITY_DESCRIPTOR) error {
	provider, err := c.acquire(0)
	if err != nil {
		return err
	}
	set := func() error {
		return wincrypt.CryptSetProvParam(provider, wincrypt.PP_KEYSET_SEC_DESCR, (*byte)(unsafe.Pointer(descriptor)), uint32(windows.DACL_SECURITY_INFORMATION))
	}
	err = set()
	if winerror.Is(err, windows.Errno(windows.NTE_BAD_KEYSET)) {
		err = withPrivilege("SeSecurityPrivilege", set)
	}
	return errors.Join(err, release(provider))
}

// capiAccess reads the access list of a container in CAPI (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetprovparam).
func (c Container) capiAccess() ([]byte, error) {
	provider, err := c.acquire(0)
	if err != nil {
		return nil, err
	}
	descriptor, err := capiDescriptor(provider)
	return descriptor, errors.Join(err, release(provider))
}

func capiDescriptor(provider windows.Handle) ([]byte, error) {
	return sized(func(buffer []byte) (uint32, error) {
		size := uint32(len(buffer))
		err := wincrypt.CryptGetProvParam(provider, wincrypt.PP_KEYSET_SEC_DESCR, unsafe.SliceData(buffer), &size, uint32(windows.DACL_SECURITY_INFORMATION))
		return size, err
	})
}

// cngSetAccess sets the access list of a key in CNG, and so of the key's file
// (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptsetproperty, NCRYPT_SECURITY_DESCR_PROPERTY).
func (c Container) cngSetAccess(descriptor *windows.SECURITY_DESCRIPTOR) error {
	return c.withKey(func(key windows.Handle, property *uint16) error {
		return wincrypt.NCryptSetProperty(key, property, (*byte)(unsafe.Pointer(descriptor)), descriptor.Length(), uint32(windows.DACL_SECURITY_INFORMATION))
	})
}

// cngAccess reads the access list of a key in CNG (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptgetproperty).
func (c Container) cngAccess() (descriptor []byte, err error) {
	err = c.withKey(func(key windows.Handle, property *uint16) error {
		descriptor, err = sized(func(buffer []byte) (size uint32, err error) {
			err = wincrypt.NCryptGetProperty(key, property, unsafe.SliceData(buffer), uint32(len(buffer)), &size, uint32(windows.DACL_SECURITY_INFORMATION))
			return size, err
		})
		return err
	})
	return descriptor, err
}

// withKey opens the key in CNG, calls act to read or set its security descriptor, and frees the key.
func (c Container) withKey(act func(key windows.Handle, property *uint16) error) error {
	property, err := windows.UTF16PtrFromString(wincrypt.NCRYPT_SECURITY_DESCR_PROP)
	if err != nil {
		return err
	}
	return c.withProvider(func(provider windows.Handle) error {
		key, err := c.cngOpen(provider)
		if err != nil {
			return err
		}
		return errors.Join(act(key, property), wincrypt.NCryptFreeObject(key))
	})
}

// sized calls read without a buffer to get the size, and again with a buffer of that size.
func sized(read func(buffer []byte) (size uint32, err error)) ([]byte, error) {
	size, err := read(nil)
	if err != nil || size == 0 {
		return nil, err
	}
	buffer := make([]byte, size)
	size, err = read(buffer)
	return buffer[:min(int(size), len(buffer))], err
}

// withPrivilege calls act with a privilege of this process enabled, if the process holds it
// (https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-adjusttokenprivileges).
func withPrivilege(name string, act func() error) (err error) {
	wide, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	var token windows.Token
	if err := windows.OpenProcessToken(windows.CurrentProcess(), windows.TOKEN_ADJUST_PRIVILEGES|windows.TOKEN_QUERY, &token); err != nil {
		return fmt.Errorf("opening the token of this process: %w", err)
	}
	defer func() { err = errors.Join(err, token.Close()) }()
	enabled := windows.Tokenprivileges{PrivilegeCount: 1}
	if err := windows.LookupPrivilegeValue(nil, wide, &enabled.Privileges[0].Luid); err != nil {
		return fmt.Errorf("looking up %s: %w", name, err)
	}
	enabled.Privileges[0].Attributes = windows.SE_PRIVILEGE_ENABLED
	var before windows.Tokenprivileges // stays empty if the privilege was enabled already
	var size uint32
	if err := windows.AdjustTokenPrivileges(token, false, &enabled, uint32(unsafe.Sizeof(before)), &before, &size); err != nil {
		return fmt.Errorf("enabling %s: %w", name, err)
	}
	return errors.Join(act(), windows.AdjustTokenPrivileges(token, false, &before, 0, nil, nil))
}
