package windows

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
)

// property returns the bytes of a property, nil if the certificate does not have it
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certgetcertificatecontextproperty).
func property(context *windows.CertContext, id uint32) ([]byte, error) {
	var size uint32
	err := wincrypt.CertGetCertificateContextProperty(context, id, nil, &size)
	if winerror.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND)) {
		return nil, nil
	}
	if err != nil || size == 0 {
		return nil, err
	}
	data := make([]byte, size)
	if err := wincrypt.CertGetCertificateContextProperty(context, id, &data[0], &size); err != nil {
		return nil, err
	}
	return data[:size], nil
}

// textProperty returns a UTF-16 text property, empty if the certificate does not have it.
func textProperty(context *windows.CertContext, id uint32) (string, error) {
	data, err := property(context, id)
	if err != nil || len(data) < 2 {
		return "", err
	}
	return windows.UTF16ToString(unsafe.Slice((*uint16)(unsafe.Pointer(&data[0])), len(data)/2)), nil
}

// setTextProperty sets a text property, or removes it if the text is empty
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certsetcertificatecontextproperty).
func setTextProperty(context *windows.CertContext, id uint32, text string) error {
	if text == "" {
		return wincrypt.CertSetCertificateContextProperty(context, id, 0, nil)
	}
	wide, err := windows.UTF16FromString(text)
	if err != nil {
		return fmt.Errorf("%q: %w", text, err)
	}
	blob := windows.CryptDataBlob{Size: uint32(2 * len(wide)), Data: (*byte)(unsafe.Pointer(&wide[0]))}
	return wincrypt.CertSetCertificateContextProperty(context, id, 0, unsafe.Pointer(&blob))
}

// keyContainer returns the container that a certificate refers to, nil if it refers to none.
func keyContainer(context *windows.CertContext) (*keys.Container, error) {
	data, err := property(context, wincrypt.CERT_KEY_PROV_INFO_PROP_ID)
	if err != nil || data == nil {
		return nil, err
	}
	info := (*wincrypt.CryptKeyProvInfo)(unsafe.Pointer(&data[0])) // its pointers point into data, so the texts are copied here
	return &keys.Container{
		Name:         windows.UTF16PtrToString(info.ContainerName),
		Provider:     windows.UTF16PtrToString(info.ProviderName),
		ProviderType: info.ProviderType,
		Machine:      info.Flags&windows.CRYPT_MACHINE_KEYSET != 0,
		KeySpec:      info.KeySpec,
	}, nil
}

// setKeyContainer makes a certificate refer to a container.
func setKeyContainer(context *windows.CertContext, where keys.Container) error {
	name, err := windows.UTF16PtrFromString(where.Name)
	if err != nil {
		return err
	}
	provider, err := windows.UTF16PtrFromString(where.Provider)
	if err != nil {
		return err
	}
	info := wincrypt.CryptKeyProvInfo{
		ContainerName: name, ProviderName: provider, ProviderType: where.ProviderType, KeySpec: where.KeySpec,
	}
	if where.Machine {
		info.Flags = windows.CRYPT_MACHINE_KEYSET
	}
	return wincrypt.CertSetCertificateContextProperty(context, wincrypt.CERT_KEY_PROV_INFO_PROP_ID, 0, unsafe.Pointer(&info))
}
