// Package privatekey reads private keys, refuses those that are not supported by name, and overwrites them. Of the other packages
// below internal/bundle it imports failure, form and tlv.
package privatekey

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// Sizes of RSA keys in bits (https://learn.microsoft.com/azure/key-vault/keys/about-keys-details).
const (
	minRSABits = 2048
	maxRSABits = 4096
)

// MaxSize bounds the encoding of a private key that is given to a decoder, in bytes, because the time to check an RSA key grows
// with more than the square of its size. RSA with 8192 bits has 4.7 KiB, so that a message can still name it.
const MaxSize = 8 << 10

// Parse reads a private key in DER. It tries the three forms one after the other, because some tools put PKCS#1 under the
// heading of PKCS#8.
func Parse(der []byte) (any, error) {
	if len(der) > MaxSize {
		return nil, TooLarge(len(der))
	}
	if key := parseWithoutCopies(der); key != nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS8PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, explain(der)
}

// parseWithoutCopies reads PKCS#8 (RFC 5958) with RSA or EC, and SEC1, or returns nil. It exists because crypto/x509 leaves
// copies in memory: of the content of PKCS#8, and of the number of SEC1.
func parseWithoutCopies(der []byte) any {
	input := cryptobyte.String(der)
	var outer, algorithm, inner cryptobyte.String
	var id tlv.OID
	if !input.ReadASN1(&outer, asn1.SEQUENCE) || !input.Empty() || !outer.SkipASN1(asn1.INTEGER) {
		return nil
	}
	if outer.PeekASN1Tag(asn1.OCTET_STRING) {
		return ecKey(der, nil)
	}
	if !outer.ReadASN1(&algorithm, asn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&id) ||
		!outer.ReadASN1(&inner, asn1.OCTET_STRING) {
		return nil
	}
	switch id.String() {
	case oidRSA:
		if key, err := x509.ParsePKCS1PrivateKey(inner); err == nil {
			return key
		}
	case oidEC:
		return ecKey(inner, algorithm)
	}
	return nil
}

// ecKey reads SEC1 (RFC 5915, section 3). PKCS#8 names its curve or, if it has no parameters, SEC1 itself does.
func ecKey(der, parameters cryptobyte.String) any {
	var outer, number, named cryptobyte.String
	var id tlv.OID
	if !der.ReadASN1(&outer, asn1.SEQUENCE) || !outer.SkipASN1(asn1.INTEGER) || !outer.ReadASN1(&number, asn1.OCTET_STRING) {
		return nil
	}
	if outer.ReadASN1(&named, asn1.Tag(0).Constructed().ContextSpecific()) && parameters == nil {
		parameters = named
	}
	if !parameters.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) || !parameters.ReadASN1ObjectIdentifier(&id) {
		return nil
	}
	curve := supportedCurves[id.String()]
	if curve == nil {
		return nil
	}
	// Older versions of OpenSSL omit leading zeros, and other tools add some.
	raw := make([]byte, (curve.Params().BitSize+7)/8)
	defer clear(raw)
	trimmed := bytes.TrimLeft(number, "\x00")
	if len(trimmed) > len(raw) {
		return nil
	}
	copy(raw[len(raw)-len(trimmed):], trimmed)
	key, err := ecdsa.ParseRawPrivateKey(curve, raw)
	if err != nil {
		return nil
	}
	return key
}

// TooLarge returns the *Error for a private key of this size in bytes.
func TooLarge(size int) error {
	return failure.Malformed("the private key has %d bytes, more than any supported key: %s", size, supportedKeys)
}

const supportedKeys = "use RSA with 2048 to 4096 bits, or EC on P-256, P-384 or P-521"

// Supported returns the key if it is of a type that Key Vault's certificates have and Windows can import.
func Supported(key any) (crypto.Signer, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, failure.Malformed("the private key is RSA with %d bits: %s", bits, supportedKeys)
		}
		if len(k.Primes) != 2 {
			return nil, failure.Malformed("the private key is RSA with %d primes instead of 2: %s", len(k.Primes), supportedKeys)
		}
		return k, nil
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return k, nil
		}
		return nil, failure.Malformed("the private key is EC on %s: %s", k.Curve.Params().Name, supportedKeys)
	case ed25519.PrivateKey:
		return nil, failure.Malformed("the private key is Ed25519: %s", supportedKeys)
	case *ecdh.PrivateKey:
		return nil, failure.Malformed("the private key is X25519, which cannot sign: %s", supportedKeys)
	default:
		return nil, failure.Malformed("the private key is of an unknown type: %s", supportedKeys)
	}
}
