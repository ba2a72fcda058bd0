package bundle

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
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
