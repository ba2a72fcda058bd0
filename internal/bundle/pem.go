package bundle

import (
	"bytes"
	"slices"
	"strings"
)

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
	pemDash  = "-----"
	pgp      = "PGP " // begins the headings of RFC 9580, section 6.2
)

// readPEM reads a PEM file (RFC 7468): key and certificates in any order, with any text between the blocks.
func (c *contents) readPEM(value []byte) error {
	rest := asASCII(value)
	if !bytes.Contains(rest, []byte(pemBegin)) {
		return errNotPEM(rest)
	}
	blocks := bytes.Count(rest, []byte(pemBegin))
	for number := 1; number <= blocks; number++ {
		var block pemBlock
		var problem string
		block, rest, problem = nextBlock(rest)
		if problem != "" {
			clear(block.der)
			return malformed("block %d of the value's %d PEM blocks cannot be read: %s; upload the file with az keyvault secret "+
				"set --file, or import it as a certificate", number, blocks, problem)
		}
		err := c.addBlock(block)
		clear(block.der)
		if err != nil {
			return err
		}
	}
	return nil
}

// pemBlock is one block. Its bytes are its caller's to overwrite.
type pemBlock struct {
	heading string
	sealed  bool // the body is encrypted in the way of RFC 1421
	der     []byte
}

// nextBlock reads the next block and returns what is behind it, or what is wrong with the block. It is not encoding/pem, which
// leaves copies of a key behind, and passes over a block whose line breaks are lost: portals and scripts turn them into blanks
// or into the letters \n, neither of which can mean anything else in base64. The text has a heading.
func nextBlock(text []byte) (block pemBlock, rest []byte, problem string) {
	begin := bytes.Index(text, []byte(pemBegin))
	text = text[begin+len(pemBegin):]
	heading, body, found := bytes.Cut(text, []byte(pemDash))
	if !found || bytes.ContainsAny(heading, "\r\n") {
		return block, text, "its line BEGIN has no end"
	}
	block.heading = string(heading)
	end := bytes.Index(body, []byte(pemEnd))
	if other := bytes.Index(body, []byte(pemBegin)); end < 0 || other >= 0 && other < end {
		return block, body, "it is cut short, as it has no line END"
	}
	content, tail := body[:end], body[end+len(pemEnd):]
	if !bytes.HasPrefix(tail, append(bytes.Clone(heading), pemDash...)) {
		return block, tail, "its lines BEGIN and END name different things"
	}
	rest = tail[len(heading)+len(pemDash):]
	block.sealed = bytes.Contains(content, []byte("Proc-Type:"))
	if block.sealed || strings.HasPrefix(block.heading, pgp) { // these have headers of their own
		return block, rest, ""
	}
	var ok bool
	// The copy is overwritten by decodeBase64.
	if block.der, ok = decodeBase64(withoutEscapes(bytes.Clone(content))); !ok && len(bytes.TrimSpace(content)) > 0 {
		return block, rest, "what is between its lines BEGIN and END is not base64"
	}
	return block, rest, ""
}

// withoutEscapes turns the letters \n, \r and \t into blanks, in place.
func withoutEscapes(text []byte) []byte {
	for i := 0; i+1 < len(text); i++ {
		if text[i] == '\\' && (text[i+1] == 'n' || text[i+1] == 'r' || text[i+1] == 't') {
			text[i], text[i+1] = ' ', ' '
		}
	}
	return text
}

// addBlock takes what is in one block and passes over blocks that are of no use here, such as EC PARAMETERS.
func (c *contents) addBlock(block pemBlock) error {
	switch heading := block.heading; {
	case block.sealed || heading == "ENCRYPTED PRIVATE KEY":
		return malformed("the private key is encrypted with a password: store it without one (openssl pkey), as Key Vault " +
			"does for the certificates that it keeps")
	case heading == "CERTIFICATE" || heading == "X509 CERTIFICATE":
		return c.addCertificateBlock(block.der)
	case heading == "TRUSTED CERTIFICATE":
		return c.addCertificateBlock(firstElement(block.der))
	case heading == "OPENSSH PRIVATE KEY":
		return malformed("the private key is in OpenSSH's form: convert it (ssh-keygen -p -m PKCS8 -f FILE) if it is the " +
			"certificate's")
	case strings.HasPrefix(heading, pgp):
		return malformed("the PEM value holds %s: %s", formPGP.what, formPGP.remedy)
	case strings.HasSuffix(heading, "PRIVATE KEY"):
		return c.addKeyDER(block.der)
	case slices.Contains(pkcs7Headings, heading):
		return c.addPKCS7(block.der)
	}
	if f, known := formOf(block.der); known {
		c.passed = &f
	}
	return nil
}

// addCertificateBlock takes a certificate or PKCS#7: Windows writes this heading over PKCS#7, too (certutil -encode, Active
// Directory's certnew.p7b), and over any other file.
func (c *contents) addCertificateBlock(der []byte) error {
	c.read++
	switch f, known := formOf(der); {
	case known && f == formPFX:
		return wrongForm(ContentTypePEM, "a PFX under the heading of PEM (certutil -encode)", f.remedy)
	case known && f != formCertificate && f != formPKCS7:
		return malformed("block CERTIFICATE %d of the PEM value holds %s, not a certificate: %s", c.read, f.what, f.remedy)
	}
	return c.addDER(der, func() error { return errCertificate("the PEM value", c.read, der) })
}

// firstElement cuts off what OpenSSL writes behind a certificate under BEGIN TRUSTED CERTIFICATE: what it is trusted for, which
// Windows keeps in the store and not in the file.
func firstElement(der []byte) []byte {
	if size, whole := elementSize(der); whole {
		return der[:size]
	}
	return der
}
