package bundle

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
	"github.com/vaultpane/vaultpane/internal/bundle/privatekey"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// maxCertificates bounds the work of ordering a chain, in which each certificate may have to be verified against every other. The
// largest lists of public roots have about 400 entries, but Key Vault's 25 KiB hold fewer than 50.
const maxCertificates = 256

// contents is what was read from a value, in its order.
type contents struct {
	key      crypto.Signer
	certs    []*x509.Certificate
	names    map[string]string // friendly names, by the certificate's DER
	provider string            // the key storage provider of the key
	read     int               // certificates read so far, including those that were not kept
	skipped  *form.Form        // a block that was skipped; it explains a value without certificates
}

// addKey keeps the key. A key of an unsupported type, or a second key, is wiped and is an error.
func (c *contents) addKey(key any) error {
	signer, err := privatekey.Supported(key)
	if err == nil && c.key != nil {
		err = errSeveralKeys()
	}
	if err != nil {
		privatekey.Wipe(key)
		return err
	}
	c.key = signer
	return nil
}

// errSeveralKeys is the error for a second key. Key Vault's certificates have one key, and which of several the owner means
// must not be guessed.
func errSeveralKeys() error {
	return failure.Malformed("the secret holds several private keys: store only the one that belongs to the certificate")
}

// addCertificate keeps a certificate, unless it is a duplicate.
func (c *contents) addCertificate(certificate *x509.Certificate) error {
	for _, known := range c.certs {
		if known.Equal(certificate) {
			return nil
		}
	}
	if len(c.certs) == maxCertificates {
		return failure.Malformed("the secret holds more than %d certificates: store only those that are needed", maxCertificates)
	}
	c.certs = append(c.certs, certificate)
	return nil
}

// addName keeps the first friendly name of a certificate that is not empty.
func (c *contents) addName(der, name string) {
	if name == "" || c.names[der] != "" {
		return
	}
	if c.names == nil {
		c.names = map[string]string{}
	}
	c.names[der] = name
}

// bundle finds the leaf, by the key if there is one, and orders the other certificates.
func (c *contents) bundle(now time.Time) (*Bundle, error) {
	if len(c.certs) == 0 && c.skipped != nil {
		return nil, failure.Malformed("the secret holds no certificate, only %s: %s", c.skipped.What, c.skipped.Remedy)
	}
	if len(c.certs) == 0 {
		return nil, failure.Malformed("the secret holds no certificate: import the certificate together with its private key")
	}
	var leaf *x509.Certificate
	if c.key == nil {
		leaf = endOf(c.certs)
	} else if leaf = leafOf(c.key, c.certs, now); leaf == nil {
		return nil, errMismatch(c.certs)
	}
	return &Bundle{
		Leaf: leaf, Chain: chainOf(leaf, c.certs, now), Key: c.key, FriendlyName: c.names[string(leaf.Raw)], ProviderName: c.provider,
	}, nil
}

// errMismatch is the error for a key that matches no certificate. It names the first certificate whose key cannot be compared
// with it.
func errMismatch(certs []*x509.Certificate) error {
	for i, c := range certs {
		if kind, remedy := privatekey.PublicKind(c.RawSubjectPublicKeyInfo); kind != "" && c.PublicKey == nil {
			return &Error{Reason: KeyMismatch, Message: fmt.Sprintf("the secret's private key matches none of its certificates, and the "+
				"key of certificate %d (%q) is %s: %s", i+1, tlv.Printable(c.Subject.String()), kind, remedy)}
		}
	}
	return &Error{Reason: KeyMismatch, Message: "the secret's private key matches none of its certificates: import " +
		"the certificate together with the key that its request was made with"}
}
