package keyvault

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"hash"
	"slices"
)

// The parts of a PFX that lead to its certificates and its integrity (RFC 7292, section 4).
type pfx struct {
	Version  int
	AuthSafe contentInfo
	MAC      struct {
		Digest struct {
			Algorithm pkix.AlgorithmIdentifier
			Value     []byte
		}
		Salt       []byte
		Iterations int `asn1:"optional,default:1"`
	}
}

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"tag:0,explicit"`
}

type encryptedData struct {
	Version int
	Content struct {
		Type      asn1.ObjectIdentifier
		Algorithm pkix.AlgorithmIdentifier
		Encrypted []byte `asn1:"tag:0"`
	}
}

// reverse reverses the order of the certificates in a PFX. go-pkcs12 puts the leaf first, and marks the first certificate as
// the key's: encoding the root first would mark the root. The new order has the length of the old one, so that the bytes can be
// replaced in place.
func reverse(der []byte) ([]byte, error) {
	safe, err := certificateSafe(der)
	if err != nil {
		return nil, err
	}
	block, iv, err := blankCipher(safe.Content.Algorithm)
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(safe.Content.Encrypted))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, safe.Content.Encrypted)
	var bags []asn1.RawValue
	padding, err := asn1.Unmarshal(plain, &bags)
	if err != nil {
		return nil, fmt.Errorf("reading the certificates' safe: %w", err)
	}
	slices.Reverse(bags)
	reversed, err := asn1.Marshal(bags)
	if err != nil {
		return nil, fmt.Errorf("writing the certificates' safe: %w", err)
	}
	reversed = append(reversed, padding...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(reversed, reversed)
	return authenticate(bytes.Replace(der, safe.Content.Encrypted, reversed, 1))
}

// certificateSafe returns the first safe of a PFX, which holds the certificates.
func certificateSafe(der []byte) (safe encryptedData, err error) {
	var whole pfx
	if _, err := asn1.Unmarshal(der, &whole); err != nil {
		return safe, fmt.Errorf("reading the PFX: %w", err)
	}
	var octets []byte
	if _, err := asn1.Unmarshal(whole.AuthSafe.Content.Bytes, &octets); err != nil {
		return safe, fmt.Errorf("reading the PFX's content: %w", err)
	}
	var safes []contentInfo
	if _, err := asn1.Unmarshal(octets, &safes); err != nil {
		return safe, fmt.Errorf("reading the PFX's safes: %w", err)
	}
	if _, err := asn1.Unmarshal(safes[0].Content.Bytes, &safe); err != nil {
		return safe, fmt.Errorf("reading the certificates' safe: %w", err)
	}
	return safe, nil
}

// authenticate replaces the PFX's MAC by a correct one (RFC 7292, section 5.1).
func authenticate(der []byte) ([]byte, error) {
	var whole pfx
	if _, err := asn1.Unmarshal(der, &whole); err != nil {
		return nil, fmt.Errorf("reading the PFX again: %w", err)
	}
	var octets []byte
	if _, err := asn1.Unmarshal(whole.AuthSafe.Content.Bytes, &octets); err != nil {
		return nil, fmt.Errorf("reading the PFX's content again: %w", err)
	}
	newHash := sha1.New
	if len(whole.MAC.Digest.Value) == sha256.Size {
		newHash = func() hash.Hash { return sha256.New() }
	}
	mac := hmac.New(newHash, deriveBlank(newHash, 3, whole.MAC.Salt, whole.MAC.Iterations, newHash().Size()))
	mac.Write(octets)
	return bytes.Replace(der, whole.MAC.Digest.Value, mac.Sum(nil), 1), nil
}
