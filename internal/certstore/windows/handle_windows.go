package windows

import (
	"crypto/sha1" //nolint:gosec // a thumbprint is a name here, not a protection
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

const encoding = windows.X509_ASN_ENCODING | windows.PKCS_7_ASN_ENCODING

// locationFlags are the store locations as CertOpenStore takes them
// (https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
var locationFlags = map[certstore.Location]uint32{
	certstore.LocalMachine: windows.CERT_SYSTEM_STORE_LOCAL_MACHINE,
	certstore.CurrentUser:  windows.CERT_SYSTEM_STORE_CURRENT_USER,
}

// openStore opens a system store; the caller closes it with closeStore. For reading, the store must exist; otherwise the error is
// ERROR_FILE_NOT_FOUND (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certopenstore).
//
// It opens the registry store itself and not the collection store, which adds certificates of group policy, of the enterprise, and
// for users those of the machine. Wine 8 also loses deletions from a collection store.
func openStore(ref certstore.Ref, write bool) (windows.Handle, error) {
	if ref.Name == "" || strings.ContainsAny(ref.Name, "\\\x00") {
		return 0, fmt.Errorf("%q is not a valid store name: %w", ref.Name, winerror.ErrUnsupported)
	}
	location, ok := locationFlags[ref.Location]
	if !ok {
		return 0, fmt.Errorf("%q is not a store location: %w", ref.Location, winerror.ErrUnsupported)
	}
	name, err := windows.UTF16PtrFromString(ref.Name)
	if err != nil {
		return 0, err
	}
	flags := location
	if !write {
		flags |= windows.CERT_STORE_OPEN_EXISTING_FLAG | windows.CERT_STORE_READONLY_FLAG
	}
	defer runtime.KeepAlive(name) // a uintptr does not keep it alive
	return windows.CertOpenStore(windows.CERT_STORE_PROV_SYSTEM_REGISTRY_W, 0, 0, flags, uintptr(unsafe.Pointer(name)))
}

// closeStore closes a store, which writes pending changes to the registry. All contexts must have been freed before, or the store
// stays open.
func closeStore(store windows.Handle) error { return windows.CertCloseStore(store, 0) }

// findCertificate returns the certificate with a SHA-1 hash, nil if the store does not contain it. The caller frees it with
// CertFreeCertificateContext (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certfindcertificateinstore).
func findCertificate(store windows.Handle, thumbprint string) (*windows.CertContext, error) {
	hash, err := hex.DecodeString(thumbprint)
	if err != nil || len(hash) != sha1.Size {
		return nil, nil //nolint:nilerr // no certificate has such a thumbprint
	}
	blob := windows.CryptHashBlob{Size: uint32(len(hash)), Data: &hash[0]}
	found, err := windows.CertFindCertificateInStore(store, encoding, 0, windows.CERT_FIND_HASH, unsafe.Pointer(&blob), nil)
	if winerror.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND)) {
		return nil, nil
	}
	return found, err
}

// eachCertificate calls visit with every certificate of a store, and frees each context afterwards
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumcertificatesinstore).
func eachCertificate(store windows.Handle, visit func(*windows.CertContext) error) error {
	var current *windows.CertContext
	for {
		next, err := windows.CertEnumCertificatesInStore(store, current) // frees the previous one
		switch {
		case winerror.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND), windows.ERROR_NO_MORE_FILES):
			return nil
		case err != nil:
			return err
		}
		if err := visit(next); err != nil {
			return errors.Join(err, windows.CertFreeCertificateContext(next))
		}
		current = next
	}
}

// eachIn opens a store for reading, visits its certificates and closes it. A store that does not exist is empty.
func eachIn(ref certstore.Ref, visit func(*windows.CertContext) error) error {
	store, err := openStore(ref, false)
	if winerror.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(eachCertificate(store, visit), closeStore(store))
}

// withStore opens a store for writing, calls act, and closes the store, which under Wine writes the changes.
func withStore(ref certstore.Ref, act func(windows.Handle) error) error {
	store, err := openStore(ref, true)
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	return errors.Join(act(store), closeStore(store))
}
