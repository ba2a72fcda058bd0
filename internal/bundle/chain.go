package bundle

import (
	"crypto"
	"crypto/x509"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// leafOf returns the certificate that matches the key, or nil. Several match if a certificate was renewed with its key, if the
// placeholder of a request is still present, or if a CA was cross-signed.
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

// better reports whether a is a better leaf than b at this time: a valid certificate is better than one that is not yet valid
// or has expired, then one that an authority issued is better than a self-signed one, then one that is not a CA, then the one
// that starts last.
func better(a, b *x509.Certificate, now time.Time) bool {
	if validA, validB := validAt(a, now), validAt(b, now); validA != validB {
		return validA
	}
	if selfA, selfB := x509cert.SelfSigned(a), x509cert.SelfSigned(b); selfA != selfB {
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

// endOf returns the certificate that issued none of the others. If there is not exactly one, it returns the first: a secret
// with several roots has no end entity.
func endOf(certs []*x509.Certificate) *x509.Certificate {
	var end *x509.Certificate
	for _, c := range certs {
		if slices.ContainsFunc(certs, func(other *x509.Certificate) bool { return other != c && x509cert.Issued(c, other) }) {
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

// chainOf returns all certificates but the leaf: its issuers from the leaf upwards, then the others in the order of the value.
func chainOf(leaf *x509.Certificate, certs []*x509.Certificate, now time.Time) []*x509.Certificate {
	rest := without(certs, leaf)
	var chain []*x509.Certificate
	for c := leaf; !x509cert.SelfSigned(c); {
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
// returns a valid one, and of equals the one that starts last, so that the order of the value does not matter.
func issuerOf(c *x509.Certificate, candidates []*x509.Certificate, now time.Time) *x509.Certificate {
	var issuer *x509.Certificate
	for _, candidate := range candidates {
		if x509cert.Issued(candidate, c) && (issuer == nil || betterIssuer(candidate, issuer, now)) {
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

func without(certs []*x509.Certificate, unwanted *x509.Certificate) []*x509.Certificate {
	return slices.DeleteFunc(slices.Clone(certs), func(c *x509.Certificate) bool { return c == unwanted })
}
