package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// add makes a certificate of a name and puts it into the store, as other programs do: add NAME. It prints its thumbprint.
func add(arguments []string) (int, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return 0, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: arguments[0]},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return 0, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return 0, err
	}
	one := certificate{Certificate: leaf, store: my}
	fmt.Println(one.thumbprint())
	return 0, put(one, private)
}
