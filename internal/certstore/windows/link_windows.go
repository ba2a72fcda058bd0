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

// successorOf returns the thumbprint of the certificate that a certificate is linked to as its renewal, empty without one
// (CERT_RENEWAL_PROP_ID,
// https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certsetcertificatecontextproperty).
func successorOf(context *windows.CertContext) (string, error) {
	hash, err := property(context, wincrypt.CERT_RENEWAL_PROP_ID)
	return strings.ToUpper(hex.EncodeToString(hash)), err
}

// setSuccessor links a certificate to its renewal, by thumbprint; empty removes the link. Schannel follows links without
// checks, so the successor must be in the store with its key before. If the store does not contain the certificate, the error
// is CRYPT_E_NOT_FOUND.
func setSuccessor(store windows.Handle, thumbprint, successor string) error {
	hash, err := hex.DecodeString(successor)
	if err != nil || successor != "" && len(hash) != sha1.Size {
		return fmt.Errorf("%q is not a thumbprint", successor)
	}
	return withCertificate(store, thumbprint, func(existing *windows.CertContext) error {
		if linked, err := successorOf(existing); err != nil || linked == strings.ToUpper(successor) {
			return err // an unchanged store causes no notifications
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
