package x509cert

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"errors"
)

// maxVerifyBits bounds the issuers' RSA keys that are used to verify, as crypto/tls does: the cost of a verification grows with
// the square of the size, and a value may hold a modulus of a million bits.
const maxVerifyBits = 8192

// Issued reports whether issuer issued c: by name, by key identifier if both have one (RFC 5280, section 4.2.1.1), and by
// signature. A signature with SHA-1 is verified. A signature that Go does not verify, such as with MD5 or on a curve that Go
// does not know, does not exclude a certificate from the chain: this decides the order of a chain, and its verifiers decide
// about trust.
func Issued(issuer, c *x509.Certificate) bool {
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) {
		return false
	}
	if len(c.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, issuer.SubjectKeyId) {
		return false
	}
	if key, ok := issuer.PublicKey.(*rsa.PublicKey); ok && key.N.BitLen() > maxVerifyBits {
		return true
	}
	err := issuer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
	var insecure x509.InsecureAlgorithmError
	return err == nil || errors.As(err, &insecure) || errors.Is(err, x509.ErrUnsupportedAlgorithm)
}

// SelfSigned reports whether a certificate is signed with its own key. One that names itself as its issuer need not be: at a
// rollover of an authority's key, the new key is certified by the old one under the same name (a self-issued certificate;
// RFC 5280, section 3.2).
func SelfSigned(c *x509.Certificate) bool { return Issued(c, c) }
