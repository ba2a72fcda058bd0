package keys

import (
	"crypto"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// withProvider opens the key storage provider, calls act, and frees the provider
// (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptopenstorageprovider).
func (c Container) withProvider(act func(provider windows.Handle) error) error {
	name, err := windows.UTF16PtrFromString(c.Provider)
	if err != nil {
		return err
	}
	var provider windows.Handle
	if err := wincrypt.NCryptOpenStorageProvider(&provider, name, 0); err != nil {
		return fmt.Errorf("opening the key storage provider %s: %w", c.Provider, err)
	}
	return errors.Join(act(provider), wincrypt.NCryptFreeObject(provider))
}

func (c Container) cngFlags() uint32 {
	if c.Machine {
		return wincrypt.NCRYPT_SILENT_FLAG | wincrypt.NCRYPT_MACHINE_KEY_FLAG
	}
	return wincrypt.NCRYPT_SILENT_FLAG
}

// cngOpen opens the key; the caller frees or deletes it
// (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptopenkey).
func (c Container) cngOpen(provider windows.Handle) (windows.Handle, error) {
	name, err := windows.UTF16PtrFromString(c.Name)
	if err != nil {
		return 0, err
	}
	var key windows.Handle
	if err := wincrypt.NCryptOpenKey(provider, &key, name, c.KeySpec, c.cngFlags()); err != nil {
		return 0, fmt.Errorf("opening the key %s: %w", c.Name, err)
	}
	return key, nil
}

func (c Container) cngOpens() bool {
	err := c.withProvider(func(provider windows.Handle) error {
		key, err := c.cngOpen(provider)
		if err != nil {
			return err
		}
		return wincrypt.NCryptFreeObject(key)
	})
	return err == nil
}

// cngImport imports a key into the provider under the container's name, together with its export policy: the key is finalized,
// and so persisted, only after the policy is set
// (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptimportkey).
func (c Container) cngImport(key crypto.Signer, exportable bool) error {
	blob, blobType, err := cngBlob(key)
	if err != nil {
		return fmt.Errorf("%w: %w", winerror.ErrUnsupported, err)
	}
	defer clear(blob)
	err = c.withProvider(func(provider windows.Handle) error {
		imported, err := c.cngImportBlob(provider, blob, blobType)
		if err != nil {
			return err
		}
		return errors.Join(finishKey(imported, exportable, c.cngFlags()), wincrypt.NCryptFreeObject(imported))
	})
	if winerror.Is(err, windows.Errno(windows.NTE_NOT_SUPPORTED), windows.ERROR_PROC_NOT_FOUND) {
		return fmt.Errorf("this system does not support CNG, use keyStorageProvider CAPI: %w: %w", winerror.ErrUnsupported, err)
	}
	return err
}

// cngImportBlob imports a blob under the container's name, without finalizing the key. All its flags are in the list of those that this
// provider supports, in combination; the page names PKCS #7 and #8 for keys that are not finalized, and says nothing of other private
// keys (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptimportkey#microsoft-software-ksp).
func (c Container) cngImportBlob(provider windows.Handle, blob []byte, blobType string) (windows.Handle, error) {
	name, err := windows.UTF16FromString(c.Name)
	if err != nil {
		return 0, err
	}
	kind, err := windows.UTF16PtrFromString(blobType)
	if err != nil {
		return 0, err
	}
	buffer := wincrypt.NCryptBuffer{Size: uint32(2 * len(name)), Type: wincrypt.NCRYPTBUFFER_PKCS_KEY_NAME, Data: (*byte)(unsafe.Pointer(&name[0]))}
	parameters := wincrypt.NCryptBufferDesc{Version: wincrypt.NCRYPTBUFFER_VERSION, Count: 1, Buffers: &buffer}
	flags := c.cngFlags() | wincrypt.NCRYPT_OVERWRITE_KEY_FLAG | wincrypt.NCRYPT_DO_NOT_FINALIZE_FLAG
	var key windows.Handle
	err = wincrypt.NCryptImportKey(provider, 0, kind, &parameters, &key, &blob[0], uint32(len(blob)), flags)
	if err != nil {
		return 0, fmt.Errorf("importing the key under the name %s: %w", c.Name, err)
	}
	return key, nil
}

// finishKey sets the export policy and finalizes the key. Exportable means the same as CRYPT_EXPORTABLE for a PFX: the key can be
// exported encrypted, as in a PFX, and not in plaintext
// (https://learn.microsoft.com/windows/win32/seccng/key-storage-property-identifiers).
func finishKey(key windows.Handle, exportable bool, flags uint32) error {
	var policy [4]byte
	if exportable {
		policy[0] = wincrypt.NCRYPT_ALLOW_EXPORT_FLAG
	}
	name, err := windows.UTF16PtrFromString(wincrypt.NCRYPT_EXPORT_POLICY_PROP)
	if err != nil {
		return err
	}
	if err := wincrypt.NCryptSetProperty(key, name, &policy[0], uint32(len(policy)), wincrypt.NCRYPT_PERSIST_FLAG); err != nil {
		return fmt.Errorf("setting the key's export policy: %w", err)
	}
	if err := wincrypt.NCryptFinalizeKey(key, flags&wincrypt.NCRYPT_SILENT_FLAG); err != nil {
		return fmt.Errorf("finalizing the key: %w", err)
	}
	return nil
}

// cngDelete deletes the key, which frees its handle too
// (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptdeletekey).
func (c Container) cngDelete() error {
	err := c.withProvider(func(provider windows.Handle) error {
		key, err := c.cngOpen(provider)
		if err != nil {
			return err
		}
		if err := wincrypt.NCryptDeleteKey(key, wincrypt.NCRYPT_SILENT_FLAG); err != nil {
			return errors.Join(fmt.Errorf("deleting the key %s: %w", c.Name, err), wincrypt.NCryptFreeObject(key))
		}
		return nil
	})
	if winerror.Is(err, windows.Errno(windows.NTE_BAD_KEYSET), windows.Errno(windows.NTE_NOT_SUPPORTED), windows.ERROR_PROC_NOT_FOUND) {
		return nil // the key does not exist, or the system has no CNG
	}
	return err
}
