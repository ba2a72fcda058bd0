package bundle

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// form is what a value was found to be, and what to do with it where it is not what was expected.
type form struct{ what, remedy string }

// Forms in DER and other binary files.
var (
	formPFX = form{"a PFX", "set the content type " + ContentTypePFX + " (az keyvault secret set-attributes --content-type), or import " +
		"the PFX as a certificate"}
	formCertificate = form{"a certificate in DER (.cer), which has no private key", "import the PFX that has the key as well; to " +
		"trust this certificate, set the content type " + ContentTypeCertificate}
	formPKCS7 = form{"PKCS#7 (.p7b), which has no private key", "import the PFX that has the key as well; to trust these " +
		"certificates, set the content type " + ContentTypePKCS7}
	formSealedPKCS7 = form{"PKCS#7 that is encrypted or has no certificates", "import the PFX that has certificate and key as a certificate"}
	formRequest     = form{"a certificate request (CSR)", "have it signed by the authority, and import the certificate with the key " +
		"that the request was made with"}
	formRevocationList = form{"a certificate revocation list (CRL)", "import the certificate with its key"}
	formKey            = form{"a private key without a certificate", "import the PFX that has both, or PEM with both"}
	formEncryptedKey   = form{"a private key that is encrypted with a password", "import the PFX that has certificate and key, or " +
		"decrypt the key (openssl pkey) and import PEM with both"}
	formPublicKey = form{"a public key", "import the certificate with its private key"}
	formJKS       = form{"a Java key store (JKS)", "convert it (keytool -importkeystore -srckeystore FILE -destkeystore NEW.pfx " +
		"-deststoretype PKCS12) and import NEW.pfx as a certificate"}
	formZIP     = form{"a ZIP archive", "unpack it, and import the PFX that is in it as a certificate"}
	formGZIP    = form{"a gzip archive", "unpack it, and import the PFX that is in it as a certificate"}
	formOpenSSH = form{"a key in OpenSSH's form", "import the PFX that has certificate and key; ssh-keygen -p -m PKCS8 converts a " +
		"key alone"}
)

// magics are the first bytes of files that are not DER.
var magics = []struct {
	magic string
	form  form
}{
	{"\xfe\xed\xfe\xed", formJKS}, {"\xce\xce\xce\xce", formJKS}, {"PK\x03\x04", formZIP}, {"\x1f\x8b", formGZIP},
	{"openssh-key-v1\x00", formOpenSSH},
}

// formOf recognizes a binary file by its first bytes or, in DER, by its outermost elements.
func formOf(data []byte) (form, bool) {
	for _, m := range magics {
		if bytes.HasPrefix(data, []byte(m.magic)) {
			return m.form, true
		}
	}
	if isText(data) {
		return textForm(data)
	}
	input := cryptobyte.String(data)
	var outer cryptobyte.String
	if !input.ReadASN1(&outer, asn1.SEQUENCE) {
		if bytes.Contains(data[:min(len(data), 32)], []byte(derSignedData)) { // BER
			return formPKCS7, true
		}
		return form{}, false
	}
	return derForm(outer)
}

// derForm goes by the kinds of the elements in the outermost SEQUENCE (RFC 7292, section 4; RFC 5280, sections 4.1 and 5.1; RFC
// 2986, section 4; RFC 5958; RFC 8017, appendix A.1.2; RFC 5915).
func derForm(outer cryptobyte.String) (form, bool) {
	first, content := next(&outer)
	second, _ := next(&outer)
	third, _ := next(&outer)
	switch {
	case first == asn1.INTEGER && second == asn1.SEQUENCE && bytes.Equal(content, []byte{3}):
		return formPFX, true
	case first == asn1.OBJECT_IDENTIFIER && string(content) == derSignedData[2:]:
		return formPKCS7, true
	case first == asn1.OBJECT_IDENTIFIER && bytes.HasPrefix(content, []byte(derSignedData)[2:len(derSignedData)-1]):
		return formSealedPKCS7, true
	case first == asn1.INTEGER && (second == asn1.SEQUENCE && third == asn1.OCTET_STRING || second == asn1.INTEGER || second == asn1.OCTET_STRING):
		return formKey, true
	case first == asn1.SEQUENCE && second == asn1.OCTET_STRING:
		return formEncryptedKey, true
	case first == asn1.SEQUENCE && second == asn1.BIT_STRING:
		return formPublicKey, true
	case first == asn1.SEQUENCE && second == asn1.SEQUENCE && third == asn1.BIT_STRING:
		return signedForm(content)
	}
	return form{}, false
}

// signedForm tells apart what is signed: a certificate has its key in the sixth element or, with a version, in the seventh.
func signedForm(tbs cryptobyte.String) (form, bool) {
	version := asn1.Tag(0).Constructed().ContextSpecific()
	var tags []asn1.Tag
	for !tbs.Empty() {
		tag, _ := next(&tbs)
		if tag == 0 {
			break
		}
		tags = append(tags, tag)
	}
	if len(tags) >= 3 && tags[0] == asn1.INTEGER && tags[1] == asn1.SEQUENCE && tags[2] == asn1.SEQUENCE &&
		(len(tags) == 3 || len(tags) == 4 && tags[3] == version) {
		return formRequest, true
	}
	if len(tags) > 0 && tags[0] == version || len(tags) >= 6 && tags[5] == asn1.SEQUENCE {
		return formCertificate, true
	}
	return formRevocationList, len(tags) >= 3
}

func next(s *cryptobyte.String) (asn1.Tag, cryptobyte.String) {
	var content cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return 0, nil
	}
	return tag, content
}

// isText tells whether there is nothing but printable ASCII and white space.
func isText(data []byte) bool {
	return len(data) > 0 && !bytes.ContainsFunc(data, func(r rune) bool {
		return r != '\t' && r != '\r' && r != '\n' && (r < ' ' || r > '~')
	})
}

// wrongForm says what a value is under a content type that asks for something else.
func wrongForm(mediaType, what, remedy string) error {
	return malformed("the secret's content type is %s, but its value is %s: %s", mediaType, what, remedy)
}
