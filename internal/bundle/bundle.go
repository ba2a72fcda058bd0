// Package bundle turns the value of a Key Vault secret into a certificate with its chain and private key.
package bundle

import (
	"crypto"
	"crypto/x509"
	"slices"
)

// Content types of Key Vault certificates' secrets
// (https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#composition-of-a-certificate).
const (
	ContentTypePFX = "application/x-pkcs12"
	ContentTypePEM = "application/x-pem-file"
)

// Content types of secrets that hold certificates only: a single certificate in DER, or PKCS#7 (RFC 8551, section 3.2; RFC
// 2585, section 4.2; the names with x- are what Windows and browsers give to .p7b and .cer files). Key Vault does not write
// them; owners of secrets with trusted certificates do. Parse reads the value in the same way under each of them.
const (
	ContentTypeCertificate      = "application/pkix-cert"
	ContentTypeCACertificate    = "application/x-x509-ca-cert"
	ContentTypePKCS7            = "application/pkcs7-mime"
	ContentTypePKCS7Old         = "application/x-pkcs7-mime"
	ContentTypePKCS7Certificate = "application/x-pkcs7-certificates"
)

// MaxSize is the largest secret value that Parse accepts, in bytes. Key Vault's own limit is 25 KiB.
const MaxSize = 1 << 20

// Bundle is what a secret holds. Its key never has a printed form.
type Bundle struct {
	// Leaf is the certificate that fits the key, found by the key and never by its position. Of several it is one that is
	// valid at the time that Parse was given, then one that an authority issued, then one that is no CA, then the one that
	// starts last. In a bundle without key it is
	// the certificate that issued none of the others, and the first of the secret if there is not exactly one such. Never
	// nil in a bundle that Parse returns.
	Leaf *x509.Certificate
	// Chain holds the other certificates, each once: first the issuers from the leaf's own upwards, then those that are not
	// part of the leaf's chain in the order of the secret. A self-signed root is among them when the secret has it.
	Chain []*x509.Certificate
	// Key is the leaf's private key, *rsa.PrivateKey or *ecdsa.PrivateKey; nil in a bundle without key.
	Key crypto.Signer
	// FriendlyName is the name that a PFX gives to the leaf (RFC 2985, section 5.5.1), without control and other invisible
	// characters and at most 260 UTF-16 code units long, which is how Windows counts. It is empty for PEM and PKCS#7, and when
	// there is none.
	FriendlyName string
	// ProviderName is the key storage provider that a PFX names for its key (attribute 1.3.6.1.4.1.311.17.1), cleaned in the
	// same way; empty when it names none. CAPIProvider tells what follows from it.
	ProviderName string
}

// Certificates returns all certificates in an order that stays the same for the same secret: the leaf, then the chain.
func (b *Bundle) Certificates() []*x509.Certificate {
	if b.Leaf == nil {
		return slices.Clone(b.Chain)
	}
	return append([]*x509.Certificate{b.Leaf}, b.Chain...)
}

// HasKey tells whether the bundle holds a private key.
func (b *Bundle) HasKey() bool { return b.Key != nil }

// RequireKey returns nil for a bundle with a key and otherwise an *Error with PrivateKeyMissing. Parse itself accepts a
// bundle without key, because only its caller knows whether trusted certificates are wanted or a certificate to serve with.
func (b *Bundle) RequireKey() error {
	if b.HasKey() {
		return nil
	}
	return &Error{Problem: PrivateKeyMissing, Message: "the secret holds certificates but no private key: Key Vault leaves " +
		"the key out when the certificate's policy says that it is not exportable or the key lies in an HSM; make a new " +
		"version with an exportable key; to trust these certificates, name a store that holds trust (Root, CA)"}
}
