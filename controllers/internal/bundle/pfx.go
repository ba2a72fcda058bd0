package bundle

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// readPFX reads the base64 text of a PFX (RFC 7292) with a blank password.
func (c *contents) readPFX(value []byte) error {
	der, ok := decodeBase64(value)
	defer clear(der)
	if !ok {
		return errNotBase64(value)
	}
	var e envelope
	defer e.wipe()
	if err := e.open(der); err != nil {
		return err
	}
	if e.iterations > maxIterations {
		return malformed("the PFX's iteration counts add up to more than %d: export it again with a lower count, which "+
			"costs nothing where the password is blank", maxIterations)
	}
	// The MAC is the only thing in a PFX that tells a password from damage. Other errors come up again where they matter.
	if _, err := pkcs12.DecodeTrustStore(der, ""); errors.Is(err, pkcs12.ErrIncorrectPassword) {
		return malformed("the PFX has a password or is damaged: import it as a certificate (az keyvault certificate import " +
			"--password), which takes the password off, or export it with a blank one")
	}
	c.provider = e.provider
	for _, bag := range e.named {
		c.addName(bag.certificate(), textOf(bag.Attributes, oidFriendlyName))
	}
	for _, part := range e.carriers() {
		if err := c.addPart(part); err != nil {
			return err
		}
	}
	return nil
}

// carriers returns one carrier for each encrypted safe and then one for all that is not encrypted. In this order a cipher
// that is not supported is met in a safe, where go-pkcs12 names it, and not in a key, where it does not.
func (e *envelope) carriers() []carrier {
	var parts []carrier
	for _, safe := range e.sealed {
		parts = append(parts, carrier{sealed: safe})
	}
	return append(parts, carrier{bags: e.bags, hasKey: e.hasKey})
}

// addPart reads one carrier with the empty password and, if that does not do, with none.
func (c *contents) addPart(part carrier) error {
	used := empty
	key, certs, err := part.read(used)
	if err != nil {
		var again error
		used = absent
		if key, certs, again = part.read(used); again != nil {
			return errUnreadable(err)
		}
	}
	if part.hasKey {
		if err := c.addKey(key); err != nil {
			return err
		}
	}
	for _, certificate := range certs {
		if err := c.addCertificate(certificate); err != nil {
			return err
		}
	}
	if part.sealed != nil {
		part.eachName(used, c.addName)
	}
	return nil
}

// read returns the key and the certificates of a carrier without the certificate that was put in front.
func (c carrier) read(p password) (key any, certs []*x509.Certificate, err error) {
	der := c.pfx(p)
	defer clear(der)
	key, _, certs, err = pkcs12.DecodeChain(der, "")
	return key, certs, err
}

// decodeBase64 takes line breaks and blanks out of the text, in place, and decodes it. The caller overwrites the result,
// also when the text is no base64 or empty.
func decodeBase64(value []byte) (der []byte, ok bool) {
	text := value[:0]
	for _, b := range value {
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			text = append(text, b)
		}
	}
	der = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(der, text)
	if err != nil || n == 0 {
		return der, false
	}
	return der[:n], true
}

// errNotBase64 explains a value that decodeBase64 refused, which stands without blanks at its beginning.
func errNotBase64(value []byte) error {
	if bytes.HasPrefix(value, []byte("-----BEGIN")) {
		return malformed("the secret's content type is %s, but its value is PEM: set the content type %s",
			ContentTypePFX, ContentTypePEM)
	}
	return malformed("the secret's content type is %s, but its value is not base64: store the PFX as base64 text or "+
		"import it as a certificate", ContentTypePFX)
}

func errNotPFX(der []byte) error {
	if len(der) > 0 && der[0] == tagSequence[0] {
		return malformed("the value is base64, but not a whole PFX in DER: it is another kind of file, cut short, or in BER; " +
			"import the PFX as a certificate, which writes it anew")
	}
	return malformed("the value is base64, but not of a PFX: import the PFX as a certificate")
}

func errDamagedPFX() error {
	return malformed("the PFX is damaged: import it again")
}

// errUnreadable explains an error of go-pkcs12. The text of NotImplementedError only holds names, object identifiers and
// counts; others may quote what could not be read.
func errUnreadable(err error) error {
	var missing pkcs12.NotImplementedError
	if errors.As(err, &missing) {
		return malformed("the PFX uses what is not supported (%s): export it with AES-256 or 3DES", string(missing))
	}
	return malformed("a part of the PFX cannot be read: it has a password, is damaged, or holds something other than X.509 " +
		"certificates and one RSA or EC key, the key outside of the certificates' encryption; import it as a certificate, " +
		"which writes it anew")
}
