package privatekey

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/bundle/failure"
)

func TestSupportedKeysAreRead(t *testing.T) {
	for name, key := range map[string]any{
		"RSA 2048": newRSA(2048), "P-256": newEC(elliptic.P256()), "P-384": newEC(elliptic.P384()), "P-521": newEC(elliptic.P521()),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Supported(key); err != nil {
				t.Error(err)
			}
			if _, err := Parse(must(x509.MarshalPKCS8PrivateKey(key))); err != nil {
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
		"P-224":   {newEC(elliptic.P224()), "EC on P-224"},
		"Ed25519": {ed, "is Ed25519"},
		"X25519":  {must(ecdh.X25519().GenerateKey(rand.Reader)), "is X25519"},
		"nil":     {nil, "unknown type"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Supported(test.key)
			var e *failure.Error
			if !errors.As(err, &e) || e.Reason != failure.MalformedSecret || !strings.Contains(e.Message, test.message) {
				t.Errorf("got %v, want MalformedSecret: …%s…", err, test.message)
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}

func newRSA(bits int) *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, bits)) }

func newEC(curve elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(curve, rand.Reader)) }
