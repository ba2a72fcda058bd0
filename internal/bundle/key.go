package bundle

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
)

// Sizes of RSA keys in bits (https://learn.microsoft.com/azure/key-vault/keys/about-keys-details).
const (
	minRSABits = 2048
	maxRSABits = 4096
)

// maxKeySize bounds the encoding of a private key that is given to a decoder, in bytes, because checking an RSA key takes
// time that grows with more than the square of its size. RSA with 8192 bits has 4.7 KiB, so that it is still named.
const maxKeySize = 8 << 10

// parseKey reads a private key in DER. The three forms are tried one after the other, because some tools put PKCS#1 under
// the heading of PKCS#8.
func parseKey(der []byte) (any, error) {
	if len(der) > maxKeySize {
		return nil, errKeyTooLarge(len(der))
	}
	if key := keyWithoutCopies(der); key != nil {
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
	return nil, errKey(der)
}

// keyWithoutCopies reads PKCS#8 (RFC 5958) with RSA or EC, and SEC1, or returns nil. It is here because crypto/x509 leaves a copy
// of all that is in PKCS#8 behind, and of SEC1's number.
func keyWithoutCopies(der []byte) any {
	input := cryptobyte.String(der)
	var outer, algorithm, inner cryptobyte.String
	var id encodedOID
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

// ecKey reads SEC1 (RFC 5915, section 3) whose curve is named by PKCS#8 or, if that has no parameters, by itself.
func ecKey(der, parameters cryptobyte.String) any {
	var outer, number, named cryptobyte.String
	var id encodedOID
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
	// OpenSSL once left zeros in front out, and others add some.
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

func errKeyTooLarge(size int) error {
	return malformed("the private key has %d bytes, more than any that is supported: %s", size, supportedKeys)
}

const supportedKeys = "use RSA with 2048 to 4096 bits, or EC on P-256, P-384 or P-521"

// supportedKey returns the key if it is of a kind that Key Vault's certificates have and Windows can import.
func supportedKey(key any) (crypto.Signer, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return nil, malformed("the private key is RSA with %d bits: %s", bits, supportedKeys)
		}
		if len(k.Primes) != 2 {
			return nil, malformed("the private key is RSA with %d primes instead of 2: %s", len(k.Primes), supportedKeys)
		}
		return k, nil
	case *ecdsa.PrivateKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return k, nil
		}
		return nil, malformed("the private key is EC on %s: %s", k.Curve.Params().Name, supportedKeys)
	case ed25519.PrivateKey:
		return nil, malformed("the private key is Ed25519: %s", supportedKeys)
	case *ecdh.PrivateKey:
		return nil, malformed("the private key is X25519, which cannot sign: %s", supportedKeys)
	default:
		return nil, malformed("the private key is of an unknown kind: %s", supportedKeys)
	}
}
