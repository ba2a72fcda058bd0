package main

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

// certificates enumerates a store of the machine
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumcertificatesinstore).
func certificates(of string) ([]certificate, error) {
	name, err := windows.UTF16PtrFromString(of)
	if err != nil {
		return nil, err
	}
	store, err := windows.CertOpenStore(windows.CERT_STORE_PROV_SYSTEM, 0, 0,
		windows.CERT_SYSTEM_STORE_LOCAL_MACHINE|windows.CERT_STORE_READONLY_FLAG, uintptr(unsafe.Pointer(name)))
	if errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return nil, nil
	}
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
		all = append(all, certificate{leaf, of, func(message []byte) ([]byte, error) {
			if problem != nil {
				return nil, problem
			}
			return key.sign(message)
		}})
	}
}

// put adds a certificate without a key, as an administrator does
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certaddcertificatecontexttostore).
func put(one certificate, _ *ecdsa.PrivateKey) error {
	name, err := windows.UTF16PtrFromString(one.store)
	if err != nil {
		return err
	}
	store, err := windows.CertOpenStore(windows.CERT_STORE_PROV_SYSTEM, 0, 0, windows.CERT_SYSTEM_STORE_LOCAL_MACHINE, uintptr(unsafe.Pointer(name)))
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	context, err := windows.CertCreateCertificateContext(windows.X509_ASN_ENCODING, &one.Raw[0], uint32(len(one.Raw)))
	if err == nil {
		err = errors.Join(windows.CertAddCertificateContextToStore(store, context, windows.CERT_STORE_ADD_ALWAYS, nil), windows.CertFreeCertificateContext(context))
	}
	return errors.Join(err, windows.CertCloseStore(store, 0)) // Wine writes the store here
}
