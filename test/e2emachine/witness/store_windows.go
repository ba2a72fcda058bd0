package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

// certificates enumerates the machine's store MY
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumcertificatesinstore).
func certificates() ([]certificate, error) {
	name, err := windows.UTF16PtrFromString("MY")
	if err != nil {
		return nil, err
	}
	store, err := windows.CertOpenStore(windows.CERT_STORE_PROV_SYSTEM, 0, 0,
		windows.CERT_SYSTEM_STORE_LOCAL_MACHINE|windows.CERT_STORE_READONLY_FLAG, uintptr(unsafe.Pointer(name)))
	if err != nil {
		return nil, fmt.Errorf("opening the store: %w", err)
	}
	defer func() { _ = windows.CertCloseStore(store, 0) }() // it was only read
	var all []certificate
	for context, err := windows.CertEnumCertificatesInStore(store, nil); ; context, err = windows.CertEnumCertificatesInStore(store, context) {
		if context == nil {
			if errors.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND)) {
				return all, nil
			}
			return all, err
		}
		leaf, err := x509.ParseCertificate(slices.Clone(unsafe.Slice(context.EncodedCert, context.Length)))
		if err != nil {
			_ = windows.CertFreeCertificateContext(context) // the error counts
			return nil, err
		}
		key, problem := keyOf(context)
		all = append(all, certificate{leaf, func(message []byte) ([]byte, error) {
			if problem != nil {
				return nil, problem
			}
			return key.sign(message)
		}})
	}
}
