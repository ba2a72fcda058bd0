package main

import (
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Constants of wincrypt.h that golang.org/x/sys/windows lacks.
const (
	CERT_KEY_PROV_INFO_PROP_ID = 2
	CALG_SHA_256               = 0x800c
)

var (
	crypt32                           = windows.NewLazySystemDLL("crypt32.dll")
	advapi32                          = windows.NewLazySystemDLL("advapi32.dll")
	certGetCertificateContextProperty = crypt32.NewProc("CertGetCertificateContextProperty")
	cryptCreateHash                   = advapi32.NewProc("CryptCreateHash")
	cryptHashData                     = advapi32.NewProc("CryptHashData")
	cryptSignHash                     = advapi32.NewProc("CryptSignHashW")
	cryptDestroyHash                  = advapi32.NewProc("CryptDestroyHash")
)

// keyProvInfo is CRYPT_KEY_PROV_INFO
// (https://learn.microsoft.com/windows/win32/api/wincrypt/ns-wincrypt-crypt_key_prov_info).
type keyProvInfo struct {
	container, provider        *uint16
	providerType, flags, count uint32
	parameters                 unsafe.Pointer
	keySpec                    uint32
}

// key is where a certificate's key is.
type key struct {
	container, provider          string
	providerType, flags, keySpec uint32
}

// keyOf reads the key's place from the certificate.
func keyOf(context *windows.CertContext) (key, error) {
	var size uint32
	property := func(data *byte) error {
		done, _, err := certGetCertificateContextProperty.Call(uintptr(unsafe.Pointer(context)), CERT_KEY_PROV_INFO_PROP_ID,
			uintptr(unsafe.Pointer(data)), uintptr(unsafe.Pointer(&size)))
		if done == 0 {
			return fmt.Errorf("the certificate names no key: %w", err)
		}
		return nil
	}
	if err := property(nil); err != nil {
		return key{}, err
	}
	data := make([]uint64, size/8+1) // aligned
	if err := property((*byte)(unsafe.Pointer(&data[0]))); err != nil {
		return key{}, err
	}
	info := (*keyProvInfo)(unsafe.Pointer(&data[0]))
	return key{
		container: windows.UTF16PtrToString(info.container), provider: windows.UTF16PtrToString(info.provider),
		providerType: info.providerType, flags: info.flags & windows.CRYPT_MACHINE_KEYSET, keySpec: info.keySpec,
	}, nil
}

// sign signs with CAPI. It opens the container itself: Wine's CryptAcquireCertificatePrivateKey looks in the user's key set only.
func (k key) sign(message []byte) ([]byte, error) {
	container, err := windows.UTF16PtrFromString(k.container)
	if err != nil {
		return nil, err
	}
	provider, err := windows.UTF16PtrFromString(k.provider)
	if err != nil {
		return nil, err
	}
	var context windows.Handle
	if err := windows.CryptAcquireContext(&context, container, provider, k.providerType, k.flags|windows.CRYPT_SILENT); err != nil {
		return nil, fmt.Errorf("opening the container %s: %w", k.container, err)
	}
	defer func() { _ = windows.CryptReleaseContext(context, 0) }() // nothing can follow from it
	var hash windows.Handle
	if done, _, err := cryptCreateHash.Call(uintptr(context), CALG_SHA_256, 0, 0, uintptr(unsafe.Pointer(&hash))); done == 0 {
		return nil, fmt.Errorf("making a hash: %w", err)
	}
	defer func() { _, _, _ = cryptDestroyHash.Call(uintptr(hash)) }() // likewise
	if done, _, err := cryptHashData.Call(uintptr(hash), uintptr(unsafe.Pointer(&message[0])), uintptr(len(message)), 0); done == 0 {
		return nil, fmt.Errorf("hashing: %w", err)
	}
	signature := make([]byte, 1024)
	size := uint32(len(signature))
	if done, _, err := cryptSignHash.Call(uintptr(hash), uintptr(k.keySpec), 0, 0,
		uintptr(unsafe.Pointer(&signature[0])), uintptr(unsafe.Pointer(&size))); done == 0 {
		return nil, fmt.Errorf("signing: %w", err)
	}
	signature = signature[:size]
	slices.Reverse(signature) // CAPI's numbers begin with their last byte
	return signature, nil
}
