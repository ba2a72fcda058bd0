package bundle

import "bytes"

// pkcs7Headings are the PEM headings of PKCS#7 (RFC 7468, sections 8 and 9, and older ones).
var pkcs7Headings = []string{"PKCS7", "PKCS #7 SIGNED DATA", "CMS", "CERTIFICATE CHAIN"}

// readCertificates reads a value under one of the content types for certificates only. Files of these types are PEM as
// often as DER, which a secret holds as base64.
func (c *contents) readCertificates(value []byte) error {
	value = asASCII(value)
	if bytes.Contains(value, []byte(pemBegin)) {
		return c.readPEM(value)
	}
	if f, known := textForm(value); known {
		return malformed("the secret's content type is for certificates, but its value is %s: %s", f.what, f.remedy)
	}
	der, ok := decodeBase64(value)
	defer clear(der)
	if !ok {
		return malformed("the secret's content type is for certificates, but its value is neither PEM nor base64: store the " +
			"file with az keyvault secret set --file, and --encoding base64 unless it is text")
	}
	return c.addDER(der, func() error {
		if f, known := formOf(der); known && f != formCertificate {
			return malformed("the secret's content type is for certificates, but its value is base64 of %s: %s", f.what, f.remedy)
		}
		if size, _ := elementSize(der); size > 0 && der[0] == tagSequence[0] {
			return errCertificate("the value", 1, der)
		}
		return malformed("the value is base64, but neither of a certificate in DER nor of PKCS#7 with certificates: for a PFX set "+
			"the content type %s, otherwise store the file again", ContentTypePFX)
	})
}

// addDER takes a certificate, or the certificates of PKCS#7, and returns the error unreadable if it is neither.
func (c *contents) addDER(der []byte, unreadable func() error) error {
	if bytes.Contains(der[:min(len(der), 32)], []byte(derSignedData)) { // the first element of the first
		return c.addPKCS7(der)
	}
	certificate, err := ReadCertificate(bytes.Clone(der)) // the certificate keeps the bytes
	if err != nil {
		return unreadable()
	}
	return c.addCertificate(certificate)
}

// addPKCS7 takes the certificates of PKCS#7 in DER or BER. Signatures are not looked at: what makes the certificates
// trustworthy is that they are in the vault.
func (c *contents) addPKCS7(der []byte) error {
	const remedy = "(openssl crl2pkcs7 -nocrl -certfile FILE)"
	certificates, lists, ok := certificatesIn(der)
	switch {
	case !ok:
		return malformed("the PKCS#7 structure cannot be read: it is damaged or cut short; write it anew %s", remedy)
	case len(certificates) == 0 && lists:
		return malformed("the PKCS#7 structure holds revocation lists but no certificate: write it with the certificates %s", remedy)
	case len(certificates) == 0:
		return malformed("the PKCS#7 structure holds no certificate: write it with the certificates %s", remedy)
	}
	for number, raw := range certificates {
		certificate, err := ReadCertificate(bytes.Clone(raw))
		if err != nil {
			return errCertificate("the PKCS#7 structure", number+1, raw)
		}
		if err := c.addCertificate(certificate); err != nil {
			return err
		}
	}
	return nil
}

// certificatesIn returns the X.509 certificates of SignedData (RFC 5652, section 5.1) in the order of the structure, and whether
// there are revocation lists. Another type of content, such as encrypted data, has none. That a signature is missing at the end
// does not matter, but that anything is cut does.
func certificatesIn(data []byte) (certificates [][]byte, lists, ok bool) {
	outer, rest, ok := readBER(data)
	if !ok || len(rest) > 0 || outer.tag != tagSequence[0] {
		return nil, false, false
	}
	info, ok := elementsIn(outer.content)
	if !ok || len(info) == 0 || info[0].tag != tagObjectIdentifier[0] {
		return nil, false, false
	}
	if !bytes.Equal(info[0].whole, []byte(derSignedData)) {
		return nil, false, true
	}
	if len(info) < 2 || info[1].tag != tagExplicit0[0] {
		return nil, false, false
	}
	signed, rest, ok := readBER(info[1].content)
	if !ok || len(rest) > 0 {
		return nil, false, false
	}
	return certificatesOf(signed.content)
}

// certificatesOf does the same for the fields of SignedData.
func certificatesOf(signed []byte) (certificates [][]byte, lists, ok bool) {
	fields, ok := elementsIn(signed)
	if !ok || len(fields) < 3 {
		return nil, false, false
	}
	for _, field := range fields[3:] { // behind version, digests and content
		lists = lists || field.tag == tagExplicit1[0]
		if field.tag != tagExplicit0[0] {
			continue
		}
		elements, ok := elementsIn(field.content)
		if !ok {
			return nil, false, false
		}
		for _, element := range elements {
			if element.tag == tagSequence[0] { // others are attribute certificates and such
				certificates = append(certificates, element.whole)
			}
		}
	}
	return certificates, lists, true
}
