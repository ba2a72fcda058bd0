package storetest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// rsaKey is generated once: the suite needs different certificates, not different keys.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// RSAItem returns a self-signed certificate with an RSA key and the mark of the ObservedCertificate of that name.
func RSAItem(t testing.TB, name string) certstore.Item {
	t.Helper()
	key, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	return itemOf(t, name, key)
}

// RSAItemOf is RSAItem with a new key of a given length.
func RSAItemOf(t testing.TB, name string, bits int) certstore.Item {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return itemOf(t, name, key)
}

// ECItem is RSAItem with an EC key.
func ECItem(t testing.TB, name string, curve elliptic.Curve) certstore.Item {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return itemOf(t, name, key)
}

func itemOf(t testing.TB, name string, key crypto.Signer) certstore.Item {
	t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name + ".example.com"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return certstore.Item{
		Certificate: certificate, Key: key, FriendlyName: "Vaultpane " + name,
		Mark: certstore.Mark{
			Name: name, UID: "11111111-2222-3333-4444-555555555555", Version: "0123456789abcdef0123456789abcdef",
			DeletionPolicy: "Retain", Role: certstore.RoleLeaf, Provider: "CAPI",
		},
	}
}

// OddCertificate returns the item's certificate with a negative serial number, which OpenSSL and Windows accept and Go's parser
// rejects. It keeps the signature of the original, which no store checks.
func OddCertificate(t testing.TB, item certstore.Item) *x509.Certificate {
	t.Helper()
	der := bytes.Clone(item.Certificate.Raw)
	version := []byte{0xa0, 0x03, 0x02, 0x01, 0x02, 0x02} // version 3, and the tag of the serial number
	at := bytes.Index(der, version)
	if at < 0 {
		t.Fatal("the certificate has no serial number")
	}
	der[at+len(version)+1] |= 0x80
	if _, err := x509.ParseCertificate(der); err == nil {
		t.Fatal("Go's parser accepts it")
	}
	certificate, err := x509cert.Read(der)
	if err != nil {
		t.Fatal(err)
	}
	return certificate
}
