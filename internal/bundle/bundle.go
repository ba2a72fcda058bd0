// Package bundle turns the value of a Key Vault secret into a certificate with its chain and private key. Parse chooses the
// decoder by the content type; the decoders (pfx.go, pem.go, pkcs7.go) collect contents; the contents become a Bundle.
//
// Its parts import downwards only:
//
//	bundle              Parse, Bundle, the order of a chain
//	bundle/pkcs12       a PFX: safes, bags, decryption; imports privatekey, form
//	bundle/privatekey   private keys; imports form
//	bundle/x509cert     certificates; imports form
//	bundle/form         what a value is, and what to do if it is something else; imports armor
//	bundle/armor        base64, PEM and UTF-16
//	bundle/tlv          elements and strings of ASN.1
//	bundle/failure      the error of all of them
package bundle

import (
	"crypto"
	"crypto/x509"
	"slices"

	"github.com/vaultpane/vaultpane/internal/bundle/form"
)

// Content types of Key Vault certificates' secrets
// (https://learn.microsoft.com/azure/key-vault/certificates/about-certificates#composition-of-a-certificate).
const (
	ContentTypePFX = form.ContentTypePFX
	ContentTypePEM = form.ContentTypePEM
)

// Content types of secrets that hold certificates only: a single certificate in DER, or PKCS#7 (RFC 8551, section 3.2; RFC
// 2585, section 4.2; Windows and browsers use the names with x- for .p7b and .cer files). Key Vault does not set them; owners
// of secrets with trusted certificates do. Parse reads the value in the same way under each of them.
const (
	ContentTypeCertificate      = form.ContentTypeCertificate
	ContentTypeCACertificate    = form.ContentTypeCACertificate
	ContentTypePKCS7            = form.ContentTypePKCS7
	ContentTypePKCS7Old         = form.ContentTypePKCS7Old
	ContentTypePKCS7Certificate = form.ContentTypePKCS7Certificate
)

// MaxSize is the largest secret value that Parse accepts, in bytes. Key Vault's own limit is 25 KiB.
const MaxSize = 1 << 20

// Bundle is the content of a secret. Its key never has a printed form.
type Bundle struct {
	// Leaf is the certificate that matches the key, found by the key and never by its position. Of several it is one that is valid
	// at the time that Parse was given, then one that an authority issued, then one that is not a CA, then the one that starts
	// last. In a bundle without key it is the certificate that issued none of the others, or the first of the secret if there
	// is not exactly one. Never nil in a bundle that Parse returns.
	Leaf *x509.Certificate
	// Chain holds the other certificates, each once: first the issuers from the leaf upwards, then the certificates that are
	// not part of the leaf's chain in the order of the secret. It includes a self-signed root if the secret has it.
	Chain []*x509.Certificate
	// Key is the leaf's private key, *rsa.PrivateKey or *ecdsa.PrivateKey; nil in a bundle without key.
	Key crypto.Signer
	// FriendlyName is the name that a PFX gives to the leaf (RFC 2985, section 5.5.1), without control and other invisible
	// characters and at most 260 UTF-16 code units long, the unit of Windows. It is empty for PEM and PKCS#7, and if there is none.
	FriendlyName string
	// ProviderName is the key storage provider that a PFX names for its key (attribute 1.3.6.1.4.1.311.17.1), cleaned in the
	// same way; empty if it names none. See CAPIProvider.
	ProviderName string
}

// Certificates returns all certificates in an order that stays the same for the same secret: the leaf, then the chain.
func (b *Bundle) Certificates() []*x509.Certificate {
	if b.Leaf == nil {
		return slices.Clone(b.Chain)
	}
	return append([]*x509.Certificate{b.Leaf}, b.Chain...)
}

// HasKey reports whether the bundle holds a private key.
func (b *Bundle) HasKey() bool { return b.Key != nil }

// RequireKey returns nil for a bundle with a key, and otherwise an *Error with PrivateKeyMissing. Parse itself accepts a bundle
// without key, because only its caller knows whether the secret should hold trusted certificates or a server's certificate.
func (b *Bundle) RequireKey() error {
	if b.HasKey() {
		return nil
	}
	return &Error{Reason: PrivateKeyMissing, Message: "the secret holds certificates but no private key: Key Vault omits " +
		"the key if the certificate's policy does not allow its export or the key is in an HSM; create a new " +
		"version with an exportable key; to trust these certificates, use a store for trusted certificates (Root, CA)"}
}
