package keyvault

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"time"
)

const year = 365 * 24 * time.Hour

// issuer is a CA.
type issuer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// newIssuer makes a CA that parent has issued, or a root if parent is nil.
func newIssuer(name string, key crypto.Signer, parent *issuer) (*issuer, error) {
	template := &x509.Certificate{
		Subject: pkix.Name{Organization: []string{"Vaultpane tests"}, CommonName: name},
		// Long enough for certificates that expired long ago, and for certificates that are not valid yet.
		NotBefore: time.Now().Add(-20 * year), NotAfter: time.Now().Add(20 * year),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
	}
	self := &issuer{certificate: template, key: key}
	if parent == nil {
		parent = self
	}
	certificate, err := parent.issue(template, key.Public())
	if err != nil {
		return nil, err
	}
	return &issuer{certificate: certificate, key: key}, nil
}

func (i *issuer) issue(template *x509.Certificate, public crypto.PublicKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, i.certificate, public, i.key)
	if err != nil {
		return nil, fmt.Errorf("issuing a certificate for %s: %w", template.Subject.CommonName, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the certificate for %s: %w", template.Subject.CommonName, err)
	}
	return certificate, nil
}

func newTLSIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the TLS CA's key: %w", err)
	}
	return newIssuer("Vaultpane test TLS CA", key, nil)
}

// chain issues the certificates in the vaults, and none for the server's own TLS.
type chain struct{ root, intermediate *issuer }

func newChain() (chain, error) {
	keys, err := pool.take(RSA2048, 2)
	if err != nil {
		return chain{}, err
	}
	root, err := newIssuer("Vaultpane test root", keys[0], nil)
	if err != nil {
		return chain{}, err
	}
	intermediate, err := newIssuer("Vaultpane test intermediate", keys[1], root)
	if err != nil {
		return chain{}, err
	}
	return chain{root, intermediate}, nil
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}
