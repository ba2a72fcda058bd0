package directory

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

const (
	keySuffix = ".key"
	pemKey    = "PRIVATE KEY"
	// ownKeyLine precedes the key's PEM block (RFC 7468, section 2, explanatory text). It distinguishes Vaultpane's keys from other
	// files named after a thumbprint.
	ownKeyLine = "# vaultpane: private key of the certificate of the same name\n"
)

// writeKeyFile writes a private key as PKCS #8, readable by its owner only, and overwrites its copies in memory.
func writeKeyFile(path string, key crypto.Signer) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encoding the private key: %w", err)
	}
	defer clear(der)
	block := pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der})
	defer clear(block)
	text := append(make([]byte, 0, len(ownKeyLine)+len(block)), ownKeyLine...) // allocated once, so that no copy is left
	text = append(text, block...)
	defer clear(text)
	return writeFile(path, text)
}

// keyOpens reports whether a file contains the private key of a certificate.
func keyOpens(path string, certificate *x509.Certificate) bool {
	text, err := readRegular(path)
	if err != nil {
		return false
	}
	defer clear(text)
	block, _ := pem.Decode(text)
	if block == nil {
		return false
	}
	defer clear(block.Bytes)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return false
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return false
	}
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(certificate.PublicKey)
}

// keyState returns the state of a certificate's key. It is KeyNone if the certificate should have no key and has no key file.
func keyState(path string, read document) certstore.KeyState {
	_, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !read.hasKey:
		return certstore.KeyNone
	case keyOpens(path, read.certificate):
		return certstore.KeyPresent
	}
	return certstore.KeyMissing
}
