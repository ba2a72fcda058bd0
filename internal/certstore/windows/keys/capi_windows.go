package keys

import (
	"crypto"
	"errors"
	"fmt"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// acquire opens or creates the container; the caller releases it with CryptReleaseContext
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptacquirecontextw).
func (c Container) acquire(flags uint32) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(c.Name)
	if err != nil {
		return 0, err
	}
	provider, err := windows.UTF16PtrFromString(c.Provider)
	if err != nil {
		return 0, err
	}
	if c.Machine {
		flags |= windows.CRYPT_MACHINE_KEYSET
	}
	var handle windows.Handle
	err = windows.CryptAcquireContext(&handle, name, provider, c.ProviderType, flags|windows.CRYPT_SILENT)
	return handle, err
}

func release(provider windows.Handle) error { return windows.CryptReleaseContext(provider, 0) }

// capiOpens reports whether the container exists and contains a key
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptgetuserkey).
func (c Container) capiOpens() bool {
	provider, err := c.acquire(0)
	if err != nil {
		return false
	}
	defer func() { _ = release(provider) }() // the result is known already
	return c.capiHasKey(provider)
}

func (c Container) capiHasKey(provider windows.Handle) bool {
	var key windows.Handle
	if err := wincrypt.CryptGetUserKey(provider, c.KeySpec, &key); err != nil {
		return false
	}
	_ = wincrypt.CryptDestroyKey(key) // frees the handle; the key stays
	return true
}

// capiImport imports a key into the container, and creates the container if it does not exist
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-cryptimportkey).
func (c Container) capiImport(key crypto.Signer, exportable bool) error {
	blob, err := CAPIBlob(key)
	if err != nil {
		return fmt.Errorf("%w: %w", winerror.ErrUnsupported, err)
	}
	defer clear(blob)
	provider, err := c.acquire(windows.CRYPT_NEWKEYSET)
	if winerror.Is(err, windows.Errno(windows.NTE_EXISTS)) { // an interrupted attempt created it
		provider, err = c.acquire(0)
	}
	if err != nil {
		return fmt.Errorf("creating the key container %s: %w", c.Name, err)
	}
	var flags uint32
	if exportable {
		flags = windows.CRYPT_EXPORTABLE
	}
	var imported windows.Handle
	if err := wincrypt.CryptImportKey(provider, &blob[0], uint32(len(blob)), 0, flags, &imported); err != nil {
		return errors.Join(fmt.Errorf("importing the key into container %s: %w", c.Name, err), release(provider))
	}
	return errors.Join(wincrypt.CryptDestroyKey(imported), release(provider))
}

// capiDelete deletes the container with its key. CryptAcquireContext returns no handle then.
func (c Container) capiDelete() error {
	_, err := c.acquire(windows.CRYPT_DELETEKEYSET)
	if winerror.Is(err, windows.Errno(windows.NTE_BAD_KEYSET), windows.Errno(windows.NTE_KEYSET_NOT_DEF), windows.ERROR_FILE_NOT_FOUND) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("deleting the key container %s: %w", c.Name, err)
	}
	return nil
}
