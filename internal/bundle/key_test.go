package bundle

import (
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"
)

func giantPublicKey() *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1<<20), E: 65537}
}

func TestKeysOfTheProductsRangeAreRead(t *testing.T) {
	for name, key := range map[string]any{
		"RSA 2048": newRSA(2048), "P-256": newECOn(elliptic.P256()), "P-384": newECOn(elliptic.P384()), "P-521": newECOn(elliptic.P521()),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := supportedKey(key); err != nil {
				t.Error(err)
			}
			if _, err := parseKey(must(x509.MarshalPKCS8PrivateKey(key))); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOtherKeysAreRefusedByName(t *testing.T) {
	_, ed := must2(ed25519.GenerateKey(rand.Reader))
	for name, test := range map[string]struct {
		key     any
		message string
	}{
		"RSA is too small": {newRSA(1024), "RSA with 1024 bits: use RSA with 2048 to 4096 bits"},
		"RSA with 3 primes": {&rsa.PrivateKey{PublicKey: newRSA(2048).PublicKey, Primes: make([]*big.Int, 3)},
			"RSA with 3 primes instead of 2"},
		"P-224":         {newECOn(elliptic.P224()), "EC on P-224"},
		"Ed25519":       {ed, "is Ed25519"},
		"X25519":        {must(ecdh.X25519().GenerateKey(rand.Reader)), "is X25519"},
		"no key at all": {nil, "unknown kind"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := supportedKey(test.key)
			wantError(t, err, MalformedSecret, test.message)
		})
	}
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}
