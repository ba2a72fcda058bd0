package bundle

import (
	"bytes"

	"github.com/smallstep/pkcs7"
)

// maxPKCS7Size bounds a PKCS#7 structure in bytes. The library turns BER into DER in a time that grows with size times depth
// of nesting; at this size the worst takes about an eighth of a second. A secret in Key Vault has 25 KiB of text, 19 KiB of DER.
const maxPKCS7Size = 32 << 10

// derSignedData is the object identifier of PKCS#7's signedData (RFC 5652, section 5.1) in DER.
const derSignedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"

// pkcs7Headings are the PEM headings of PKCS#7 (RFC 7468, sections 8 and 9, and older ones).
var pkcs7Headings = []string{"PKCS7", "PKCS #7 SIGNED DATA", "CMS", "CERTIFICATE CHAIN"}

// readCertificates reads a value under one of the content types for certificates only. Files of these types are PEM as
// often as DER, which a secret holds as base64.
func (c *contents) readCertificates(value []byte) error {
	if bytes.Contains(value, []byte(pemBegin)) {
		return c.readPEM(value)
	}
	der, ok := decodeBase64(value)
	defer clear(der)
	if !ok {
		return malformed("the secret's content type is for certificates, but its value is neither PEM nor base64: store the " +
			"file with az keyvault secret set --file, and --encoding base64 unless it is text")
	}
	return c.addDER(der, malformed("the value is base64, but neither of a certificate in DER nor of PKCS#7 with certificates: "+
		"for a PFX set the content type %s, otherwise store the file again", ContentTypePFX))
}

// addDER takes a certificate, or the certificates of PKCS#7, and returns the error unreadable if it is neither.
func (c *contents) addDER(der []byte, unreadable error) error {
	if bytes.Contains(der[:min(len(der), 32)], []byte(derSignedData)) { // the first element of the first
		return c.addPKCS7(der)
	}
	certificate, err := ReadCertificate(bytes.Clone(der)) // the certificate keeps the bytes
	if err != nil {
		return unreadable
	}
	return c.addCertificate(certificate)
}

// addPKCS7 takes the certificates of PKCS#7 in DER or BER. Signatures are not looked at: what makes the certificates
// trustworthy is that they are in the vault.
func (c *contents) addPKCS7(der []byte) error {
	if len(der) > maxPKCS7Size {
		return malformed("the PKCS#7 structure has %d bytes, more than the %d that are read: keep only the certificates that "+
			"are needed", len(der), maxPKCS7Size)
	}
	parsed, err := pkcs7.Parse(der)
	switch {
	case err != nil:
		return malformed("the PKCS#7 structure cannot be read: it is damaged, cut short, or holds something other than X.509 " +
			"certificates; write it anew (openssl crl2pkcs7 -nocrl -certfile FILE)")
	case len(parsed.Certificates) == 0 && len(parsed.CRLs) > 0:
		return malformed("the PKCS#7 structure holds revocation lists but no certificate: write it with the certificates " +
			"(openssl crl2pkcs7 -nocrl -certfile FILE)")
	case len(parsed.Certificates) == 0:
		return malformed("the PKCS#7 structure holds no certificate: write it with the certificates (openssl crl2pkcs7 -nocrl " +
			"-certfile FILE)")
	}
	for _, certificate := range parsed.Certificates {
		if err := c.addCertificate(certificate); err != nil {
			return err
		}
	}
	return nil
}
