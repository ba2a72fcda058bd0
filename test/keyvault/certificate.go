package keyvault

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"slices"
	"time"
)

// ContentType is the content type of a certificate's secret.
type ContentType int

// The content types that Key Vault supports.
const (
	PFX ContentType = iota // application/x-pkcs12
	PEM                    // application/x-pem-file
)

// String returns the media type.
func (c ContentType) String() string {
	if c == PEM {
		return "application/x-pem-file"
	}
	return "application/x-pkcs12"
}

// CertificateOptions describe a certificate to make. The zero value is an RSA 2048 leaf as PFX for NAME.example.com.
type CertificateOptions struct {
	KeyType     KeyType
	ContentType ContentType
	// Names are the DNS names; the first is also the subject's common name. Empty for the secret's name in example.com.
	Names []string
	// WithChain adds the intermediate and the root.
	WithChain bool
	// NotBefore and NotAfter are the certificate's validity and the secret's attributes. Zero for an hour ago and 90 days
	// from now.
	NotBefore, NotAfter time.Time
	// LegacyPFX encrypts with 3DES and SHA-1 instead of AES-256 and SHA-256.
	LegacyPFX bool
	// RootFirst puts the root first and the leaf last, as Key Vault does in a PFX that it created itself
	// (https://github.com/Azure/azure-rest-api-specs/issues/10637).
	RootFirst bool
}

// withDefaults sets the fields that are zero.
func (o CertificateOptions) withDefaults(secret string) CertificateOptions {
	if len(o.Names) == 0 {
		o.Names = []string{secret + ".example.com"}
	}
	if o.NotBefore.IsZero() {
		o.NotBefore = time.Now().Add(-time.Hour)
	}
	if o.NotAfter.IsZero() {
		o.NotAfter = time.Now().Add(90 * 24 * time.Hour)
	}
	return o
}

// make issues a certificate for a key and returns it as a secret's version. Its options have their defaults.
func (c chain) make(o CertificateOptions, key crypto.Signer) (*version, error) {
	leaf, err := c.intermediate.issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: o.Names[0]}, DNSNames: o.Names, NotBefore: o.NotBefore, NotAfter: o.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		// RFC 5280, section 4.2.1.9: the leaf is marked as not being a CA.
		BasicConstraintsValid: true,
	}, key.Public())
	if err != nil {
		return nil, err
	}
	certificates := []*x509.Certificate{leaf}
	if o.WithChain {
		certificates = append(certificates, c.intermediate.certificate, c.root.certificate)
	}
	encode := encodePFX
	if o.ContentType == PEM {
		encode = encodePEM
	}
	value, err := encode(o, key, certificates)
	if err != nil {
		return nil, fmt.Errorf("encoding the certificate for %s: %w", o.Names[0], err)
	}
	return &version{
		contentType: o.ContentType.String(), value: value, thumbprint: fmt.Sprintf("%X", sha1.Sum(leaf.Raw)), managed: true,
		notBefore: leaf.NotBefore, expires: leaf.NotAfter,
	}, nil
}

// encodePEM encodes the key first, as Key Vault does. The leaf is the first of the certificates.
func encodePEM(o CertificateOptions, key crypto.Signer, certificates []*x509.Certificate) (string, error) {
	if o.RootFirst {
		slices.Reverse(certificates)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("encoding the key: %w", err)
	}
	text := bytes.NewBuffer(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, certificate := range certificates {
		text.Write(certificatePEM(certificate.Raw))
	}
	return text.String(), nil
}
