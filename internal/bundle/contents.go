package bundle

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"time"
)

// maxCertificates bounds the work of ordering a chain, where each certificate may have to be verified against each other
// one. The largest lists of public roots have about 400 entries, but Key Vault's 25 KiB hold fewer than 50.
const maxCertificates = 256

// contents is what a decoder found, in the value's order.
type contents struct {
	key      crypto.Signer
	certs    []*x509.Certificate
	names    map[string]string // friendly names, by the certificate's DER
	provider string            // the key storage provider of the key
	read     int               // certificates met so far, also those that could not be kept
	passed   *form             // what was passed over and, if nothing else is found, is the reason
}

// addKey keeps the key, or wipes and refuses it: of an unsupported kind, or the second one.
func (c *contents) addKey(key any) error {
	signer, err := supportedKey(key)
	if err == nil && c.key != nil {
		err = errSeveralKeys()
	}
	if err != nil {
		wipeKey(key)
		return err
	}
	c.key = signer
	return nil
}

// errSeveralKeys is the same for PFX and PEM. Key Vault's certificates have one key; which of several one the owner means
// is nothing to guess.
func errSeveralKeys() error {
	return malformed("the secret holds several private keys: keep the one that belongs to the certificate")
}

// addCertificate keeps a certificate unless it is there already.
func (c *contents) addCertificate(certificate *x509.Certificate) error {
	for _, known := range c.certs {
		if known.Equal(certificate) {
			return nil
		}
	}
	if len(c.certs) == maxCertificates {
		return malformed("the secret holds more than %d certificates: keep only those that are needed", maxCertificates)
	}
	c.certs = append(c.certs, certificate)
	return nil
}

// addName keeps a certificate's friendly name, the first that is not empty.
func (c *contents) addName(der, name string) {
	if name == "" || c.names[der] != "" {
		return
	}
	if c.names == nil {
		c.names = map[string]string{}
	}
	c.names[der] = name
}

// bundle finds the leaf, by the key if there is one, and puts the other certificates in order.
func (c *contents) bundle(now time.Time) (*Bundle, error) {
	if len(c.certs) == 0 && c.passed != nil {
		return nil, malformed("the secret holds no certificate, only %s: %s", c.passed.what, c.passed.remedy)
	}
	if len(c.certs) == 0 {
		return nil, malformed("the secret holds no certificate: import the certificate together with its private key")
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

// errMismatch says that the key fits no certificate, and which certificate has a key that cannot be compared with it.
func errMismatch(certs []*x509.Certificate) error {
	for i, c := range certs {
		if kind, remedy := publicKeyKind(c.RawSubjectPublicKeyInfo); kind != "" && c.PublicKey == nil {
			return &Error{Problem: KeyMismatch, Message: fmt.Sprintf("the secret's private key fits none of its certificates, and the "+
				"key of certificate %d (%q) is %s: %s", i+1, printable(c.Subject.String()), kind, remedy)}
		}
	}
	return &Error{Problem: KeyMismatch, Message: "the secret's private key fits none of its certificates: import " +
		"the certificate together with the key that its request was made with"}
}
