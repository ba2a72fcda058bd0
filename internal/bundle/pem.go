package bundle

import (
	"bytes"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/bundle/armor"
	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// readPEM reads a PEM file (RFC 7468): key and certificates in any order, with any text between the blocks.
func (c *contents) readPEM(value []byte) error {
	rest := armor.ToASCII(value)
	if !bytes.Contains(rest, []byte(armor.Begin)) {
		return errNotPEM(rest)
	}
	blocks := bytes.Count(rest, []byte(armor.Begin))
	for number := 1; number <= blocks; number++ {
		var block armor.Block
		var damage string
		block, rest, damage = armor.NextBlock(rest)
		if damage != "" {
			clear(block.DER)
			return failure.Malformed("block %d of the value's %d PEM blocks cannot be read: %s; upload the file with az keyvault secret "+
				"set --file, or import it as a certificate", number, blocks, damage)
		}
		err := c.addBlock(block)
		clear(block.DER)
		if err != nil {
			return err
		}
	}
	return nil
}

// errNotPEM explains a value without a PEM block.
func errNotPEM(value []byte) error {
	if f, what, known := form.Inside(value); known {
		return form.Mismatch(ContentTypePEM, what, f.Remedy)
	}
	return failure.Malformed("the secret's content type is %s, but its value has no PEM block: if it is a PFX, set the content "+
		"type %s", ContentTypePEM, ContentTypePFX)
}

// addBlock adds the content of one block, and skips blocks that are not needed, such as EC PARAMETERS.
func (c *contents) addBlock(block armor.Block) error {
	switch heading := block.Heading; {
	case block.Encrypted || heading == "ENCRYPTED PRIVATE KEY":
		return failure.Malformed("the private key is encrypted with a password: store it without one (openssl pkey), as Key Vault " +
			"does for the certificates that it keeps")
	case heading == "CERTIFICATE" || heading == "X509 CERTIFICATE":
		return c.addCertificateBlock(block.DER)
	case heading == "TRUSTED CERTIFICATE":
		// OpenSSL appends what the certificate is trusted for, which Windows keeps in the store and not in the file.
		return c.addCertificateBlock(tlv.First(block.DER))
	case heading == "OPENSSH PRIVATE KEY":
		return failure.Malformed("the private key is in the OpenSSH format: convert it (ssh-keygen -p -m PKCS8 -f FILE) if it is the " +
			"certificate's")
	case strings.HasPrefix(heading, armor.PGP):
		return failure.Malformed("the PEM value holds %s: %s", form.PGP.What, form.PGP.Remedy)
	case strings.HasSuffix(heading, "PRIVATE KEY"):
		return c.addKeyDER(block.DER)
	case slices.Contains(pkcs7Headings, heading):
		return c.addPKCS7(block.DER)
	}
	if f, known := form.Of(block.DER); known {
		c.skipped = &f
	}
	return nil
}

// addCertificateBlock adds a certificate or PKCS#7: Windows also writes this heading over PKCS#7 (certutil -encode, Active
// Directory's certnew.p7b), and over any other file.
func (c *contents) addCertificateBlock(der []byte) error {
	c.read++
	switch f, known := form.Of(der); {
	case known && f == form.PFX:
		return form.Mismatch(ContentTypePEM, "a PFX under the heading of PEM (certutil -encode)", f.Remedy)
	case known && f != form.Certificate && f != form.PKCS7:
		return failure.Malformed("block CERTIFICATE %d of the PEM value holds %s, not a certificate: %s", c.read, f.What, f.Remedy)
	}
	return c.addDER(der, func() error { return x509cert.Unreadable("the PEM value", c.read, der) })
}
