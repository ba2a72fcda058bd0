package bundle

import (
	"bytes"

	"github.com/vaultpane/vaultpane/internal/bundle/armor"
	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// pkcs7Headings are the PEM headings of PKCS#7 (RFC 7468, sections 8 and 9, and older ones).
var pkcs7Headings = []string{"PKCS7", "PKCS #7 SIGNED DATA", "CMS", "CERTIFICATE CHAIN"}

// readCertificates reads a value under one of the content types for certificates only. Files of these types are PEM, or DER,
// which a secret holds as base64.
func (c *contents) readCertificates(value []byte) error {
	value = armor.ToASCII(value)
	if bytes.Contains(value, []byte(armor.Begin)) {
		return c.readPEM(value)
	}
	if f, known := form.OfText(value); known {
		return failure.Malformed("the secret's content type is for certificates, but its value is %s: %s", f.What, f.Remedy)
	}
	der, ok := armor.DecodeBase64(value)
	defer clear(der)
	if !ok {
		return failure.Malformed("the secret's content type is for certificates, but its value is neither PEM nor base64: store the " +
			"file with az keyvault secret set --file, and --encoding base64 unless it is text")
	}
	return c.addDER(der, func() error {
		if f, known := form.Of(der); known && f != form.Certificate {
			return failure.Malformed("the secret's content type is for certificates, but its value is base64 of %s: %s", f.What, f.Remedy)
		}
		if size, _ := tlv.Size(der); size > 0 && der[0] == tlv.Sequence[0] {
			return x509cert.Unreadable("the value", 1, der)
		}
		return failure.Malformed("the value is base64, but neither of a certificate in DER nor of PKCS#7 with certificates: for a PFX set "+
			"the content type %s, otherwise store the file again", ContentTypePFX)
	})
}

// addDER adds a certificate, or the certificates of PKCS#7. It returns the error of unreadable if the data is neither.
func (c *contents) addDER(der []byte, unreadable func() error) error {
	if bytes.Contains(der[:min(len(der), 32)], []byte(tlv.SignedData)) { // the first element of the outermost
		return c.addPKCS7(der)
	}
	certificate, err := x509cert.Read(bytes.Clone(der)) // the certificate keeps the bytes
	if err != nil {
		return unreadable()
	}
	return c.addCertificate(certificate)
}

// addPKCS7 adds the certificates of PKCS#7 in DER or BER. Signatures are not verified: the certificates are trusted because
// they are in the vault.
func (c *contents) addPKCS7(der []byte) error {
	const remedy = "(openssl crl2pkcs7 -nocrl -certfile FILE)"
	certificates, lists, ok := certificatesIn(der)
	switch {
	case !ok:
		return failure.Malformed("the PKCS#7 structure cannot be read: it is damaged or truncated; write it again %s", remedy)
	case len(certificates) == 0 && lists:
		return failure.Malformed("the PKCS#7 structure holds revocation lists but no certificate: write it with the certificates %s", remedy)
	case len(certificates) == 0:
		return failure.Malformed("the PKCS#7 structure holds no certificate: write it with the certificates %s", remedy)
	}
	for number, raw := range certificates {
		certificate, err := x509cert.Read(bytes.Clone(raw))
		if err != nil {
			return x509cert.Unreadable("the PKCS#7 structure", number+1, raw)
		}
		if err := c.addCertificate(certificate); err != nil {
			return err
		}
	}
	return nil
}

// certificatesIn returns the X.509 certificates of SignedData (RFC 5652, section 5.1) in the order of the structure, and
// reports whether there are revocation lists. Another type of content, such as encrypted data, has neither. A structure without
// a signature is ok; one that is truncated is not.
func certificatesIn(data []byte) (certificates [][]byte, lists, ok bool) {
	outer, rest, ok := tlv.ReadBER(data)
	if !ok || len(rest) > 0 || outer.Tag != tlv.Sequence[0] {
		return nil, false, false
	}
	info, ok := tlv.Elements(outer.Content)
	if !ok || len(info) == 0 || info[0].Tag != tlv.ObjectIdentifier[0] {
		return nil, false, false
	}
	if !bytes.Equal(info[0].Whole, []byte(tlv.SignedData)) {
		return nil, false, true
	}
	if len(info) < 2 || info[1].Tag != tlv.Explicit0[0] {
		return nil, false, false
	}
	signed, rest, ok := tlv.ReadBER(info[1].Content)
	if !ok || len(rest) > 0 {
		return nil, false, false
	}
	return certificatesOf(signed.Content)
}

// certificatesOf does the same for the fields of SignedData.
func certificatesOf(signed []byte) (certificates [][]byte, lists, ok bool) {
	fields, ok := tlv.Elements(signed)
	if !ok || len(fields) < 3 {
		return nil, false, false
	}
	for _, field := range fields[3:] { // after version, digests and content
		lists = lists || field.Tag == tlv.Explicit1[0]
		if field.Tag != tlv.Explicit0[0] {
			continue
		}
		elements, ok := tlv.Elements(field.Content)
		if !ok {
			return nil, false, false
		}
		for _, element := range elements {
			if element.Tag == tlv.Sequence[0] { // others are attribute certificates and the like
				certificates = append(certificates, element.Whole)
			}
		}
	}
	return certificates, lists, true
}
