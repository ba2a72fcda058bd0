package windows

import (
	"crypto/sha1" //nolint:gosec // a thumbprint is a name here, not a protection
	"encoding/hex"
	"fmt"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
)

// successorOf returns the thumbprint of the certificate that the system takes a certificate to be renewed by, empty without
// one (CERT_RENEWAL_PROP_ID,
// https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certsetcertificatecontextproperty).
func successorOf(context *windows.CertContext) (string, error) {
	hash, err := property(context, wincrypt.CERT_RENEWAL_PROP_ID)
	return strings.ToUpper(hex.EncodeToString(hash)), err
}

// setSuccessor says that a certificate is renewed by the one with the thumbprint successor; empty takes the link away. What
// Schannel does with a link it does unasked: the successor must be there, with its key, before.
// A certificate that is not in the store is CRYPT_E_NOT_FOUND.
func setSuccessor(store windows.Handle, thumbprint, successor string) error {
	hash, err := hex.DecodeString(successor)
	if err != nil || successor != "" && len(hash) != sha1.Size {
		return fmt.Errorf("%q is no thumbprint", successor)
	}
	return withCertificate(store, thumbprint, func(existing *windows.CertContext) error {
		if linked, err := successorOf(existing); err != nil || linked == strings.ToUpper(successor) {
			return err // an unchanged store wakes nobody who watches it
		}
		return replace(store, existing, func(copied *windows.CertContext) error {
			if successor == "" {
				return wincrypt.CertSetCertificateContextProperty(copied, wincrypt.CERT_RENEWAL_PROP_ID, 0, nil)
			}
			blob := windows.CryptHashBlob{Size: uint32(len(hash)), Data: &hash[0]}
			return wincrypt.CertSetCertificateContextProperty(copied, wincrypt.CERT_RENEWAL_PROP_ID, 0, unsafe.Pointer(&blob))
		})
	})
}
