package bundle

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"slices"
	"time"
)

// maxVerifyBits bounds the issuers' RSA keys that are used to verify, as crypto/tls does: a verification's cost grows with
// the square of the size, and a value may hold a modulus of a million bits.
const maxVerifyBits = 8192

// leafOf returns the certificate that fits the key, or nil. Several fit when a certificate was renewed with its key, when
// the placeholder that a request was made with is still there, or when a CA was cross-signed.
func leafOf(key crypto.Signer, certs []*x509.Certificate, now time.Time) *x509.Certificate {
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return nil
	}
	var leaf *x509.Certificate
	for _, c := range certs {
		if public.Equal(c.PublicKey) && (leaf == nil || better(c, leaf, now)) {
			leaf = c
		}
	}
	return leaf
}

// better tells whether a serves its key better than b at this time: a certificate that is valid goes before one that is not
// yet or no more, then one that an authority issued before one that is signed with its own key, then one that is no CA, then
// the one that starts last.
func better(a, b *x509.Certificate, now time.Time) bool {
	if validA, validB := validAt(a, now), validAt(b, now); validA != validB {
		return validA
	}
	if selfA, selfB := SelfSigned(a), SelfSigned(b); selfA != selfB {
		return selfB
	}
	if a.IsCA != b.IsCA {
		return !a.IsCA
	}
	return a.NotBefore.After(b.NotBefore)
}

func validAt(c *x509.Certificate, now time.Time) bool {
	return !now.Before(c.NotBefore) && !now.After(c.NotAfter)
}

// endOf returns the certificate that issued none of the others. If there is not exactly one it is the first: a secret with
// several roots has no end.
func endOf(certs []*x509.Certificate) *x509.Certificate {
	var end *x509.Certificate
	for _, c := range certs {
		if slices.ContainsFunc(certs, func(other *x509.Certificate) bool { return other != c && Issued(c, other) }) {
			continue
		}
		if end != nil {
			return certs[0]
		}
		end = c
	}
	if end == nil {
		return certs[0]
	}
	return end
}

// chainOf returns all certificates but the leaf: its issuers upwards, then the others in their order in the value.
func chainOf(leaf *x509.Certificate, certs []*x509.Certificate, now time.Time) []*x509.Certificate {
	rest := without(certs, leaf)
	var chain []*x509.Certificate
	for c := leaf; !SelfSigned(c); {
		issuer := issuerOf(c, rest, now)
		if issuer == nil {
			break
		}
		chain = append(chain, issuer)
		rest = without(rest, issuer)
		c = issuer
	}
	return append(chain, rest...)
}

// issuerOf returns the certificate that issued c, or nil. Of several (a CA that was renewed with its key, or cross-signed) it
// is one that is valid, and of equals the one that starts last, so that the order of the value does not matter.
func issuerOf(c *x509.Certificate, candidates []*x509.Certificate, now time.Time) *x509.Certificate {
	var issuer *x509.Certificate
	for _, candidate := range candidates {
		if Issued(candidate, c) && (issuer == nil || betterIssuer(candidate, issuer, now)) {
			issuer = candidate
		}
	}
	return issuer
}

func betterIssuer(a, b *x509.Certificate, now time.Time) bool {
	if validA, validB := validAt(a, now), validAt(b, now); validA != validB {
		return validA
	}
	return a.NotBefore.After(b.NotBefore)
}

// Issued tells whether issuer issued c: by name, by key identifier where both have one (RFC 5280, section 4.2.1.1), and by
// signature. One with SHA-1 is verified. One that Go does not verify, such as with MD5 or on a curve that Go does not know, does
// not take a certificate out of the chain: the chain is put in order here, trust is decided by those who verify it.
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
// roll-over of an authority's key, the new key is certified by the old one under the same name (a self-issued certificate;
// RFC 5280, section 3.2).
func SelfSigned(c *x509.Certificate) bool { return Issued(c, c) }

func without(certs []*x509.Certificate, unwanted *x509.Certificate) []*x509.Certificate {
	return slices.DeleteFunc(slices.Clone(certs), func(c *x509.Certificate) bool { return c == unwanted })
}
