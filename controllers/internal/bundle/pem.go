package bundle

import (
	"bytes"
	"encoding/pem"
	"slices"
	"strings"
)

const pemBegin = "-----BEGIN "

// readPEM reads a PEM file (RFC 7468): key and certificates in any order, with any text between the blocks.
func (c *contents) readPEM(value []byte) error {
	// pem.Decode passes over a block that it cannot read. A damaged key would then look like none, so blocks are counted.
	blocks := bytes.Count(value, []byte(pemBegin))
	if blocks == 0 {
		return malformed("the secret's content type is %s, but its value has no PEM block: if it is a PFX, set the content "+
			"type %s", ContentTypePEM, ContentTypePFX)
	}
	rest := bytes.TrimPrefix(value, []byte("\xef\xbb\xbf")) // a byte order mark would hide the first block
	for read := 0; ; read++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return allRead(read, blocks)
		}
		err := c.addBlock(block)
		clear(block.Bytes)
		if err != nil {
			return err
		}
	}
}

func allRead(read, blocks int) error {
	if read == blocks {
		return nil
	}
	return malformed("%d of the value's %d PEM blocks cannot be read: each BEGIN and END must stand on a line of its own; "+
		"the portal's input field takes out line breaks, so upload the file with az keyvault secret set --file or import it "+
		"as a certificate", blocks-read, blocks)
}

// addBlock takes what is in one block and passes over blocks that are of no use here, such as EC PARAMETERS.
func (c *contents) addBlock(block *pem.Block) error {
	switch {
	case block.Type == "CERTIFICATE" || block.Type == "X509 CERTIFICATE":
		// Windows writes this heading over PKCS#7, too (certutil -encode, Active Directory's certnew.p7b).
		return c.addDER(block.Bytes, malformed("certificate %d of the PEM value cannot be read: it is damaged or cut short",
			len(c.certs)+1))
	case isEncrypted(block):
		return malformed("the private key is encrypted with a password: store it without one (openssl pkey), as Key Vault " +
			"does for the certificates that it keeps")
	case strings.HasSuffix(block.Type, "PRIVATE KEY"):
		key, err := parseKey(block.Bytes)
		if err != nil {
			return err
		}
		return c.addKey(key)
	case slices.Contains(pkcs7Headings, block.Type):
		return c.addPKCS7(block.Bytes)
	default:
		return nil
	}
}

// isEncrypted recognizes PKCS#8's own encryption and the header of RFC 1421 that OpenSSL wrote before.
func isEncrypted(block *pem.Block) bool {
	return block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED")
}
