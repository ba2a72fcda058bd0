package form

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/armor"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// Form is what a value is.
type Form struct {
	// What names the form in a message.
	What string
	// Remedy is what to do with a value of this form if another form was expected.
	Remedy string
}

// Forms in DER and other binary files.
var (
	PFX = Form{"a PFX", "set the content type " + ContentTypePFX + " (az keyvault secret set-attributes --content-type), or import " +
		"the PFX as a certificate"}
	Certificate = Form{"a certificate in DER (.cer), which has no private key", "import the PFX that has the key as well; to " +
		"trust this certificate, set the content type " + ContentTypeCertificate}
	PKCS7 = Form{"PKCS#7 (.p7b), which has no private key", "import the PFX that has the key as well; to trust these " +
		"certificates, set the content type " + ContentTypePKCS7}
	sealedPKCS7 = Form{"PKCS#7 that is encrypted or has no certificates", "import the PFX that has certificate and key as a certificate"}
	request     = Form{"a certificate request (CSR)", "have a certificate authority sign it, and import the certificate with the key " +
		"of the request"}
	revocationList = Form{"a certificate revocation list (CRL)", "import the certificate with its key"}
	// Key and EncryptedKey are private keys.
	Key          = Form{"a private key without a certificate", "import the PFX that has both, or PEM with both"}
	EncryptedKey = Form{"a private key that is encrypted with a password", "import the PFX that has certificate and key, or " +
		"decrypt the key (openssl pkey) and import PEM with both"}
	publicKey = Form{"a public key", "import the certificate with its private key"}
	jks       = Form{"a Java key store (JKS)", "convert it (keytool -importkeystore -srckeystore FILE -destkeystore NEW.pfx " +
		"-deststoretype PKCS12) and import NEW.pfx as a certificate"}
	zip     = Form{"a ZIP archive", "unpack it, and import the PFX that is in it as a certificate"}
	gzip    = Form{"a gzip archive", "unpack it, and import the PFX that is in it as a certificate"}
	openSSH = Form{"a key in the OpenSSH format", "import the PFX that has certificate and key; ssh-keygen -p -m PKCS8 converts a " +
		"key alone"}
)

// magics are the first bytes of files that are not DER.
var magics = []struct {
	magic string
	form  Form
}{
	{"\xfe\xed\xfe\xed", jks}, {"\xce\xce\xce\xce", jks}, {"PK\x03\x04", zip}, {"\x1f\x8b", gzip},
	{"openssh-key-v1\x00", openSSH},
}

// Of recognizes a binary file by its first bytes or, in DER, by its outermost elements; and text as OfText does.
func Of(data []byte) (Form, bool) {
	for _, m := range magics {
		if bytes.HasPrefix(data, []byte(m.magic)) {
			return m.form, true
		}
	}
	if armor.IsText(data) {
		return OfText(data)
	}
	input := cryptobyte.String(data)
	var outer cryptobyte.String
	if !input.ReadASN1(&outer, asn1.SEQUENCE) {
		if bytes.Contains(data[:min(len(data), 32)], []byte(tlv.SignedData)) { // BER
			return PKCS7, true
		}
		return Form{}, false
	}
	return ofDER(outer)
}

// ofDER goes by the types of the elements in the outermost SEQUENCE (RFC 7292, section 4; RFC 5280, sections 4.1 and 5.1; RFC
// 2986, section 4; RFC 5958; RFC 8017, appendix A.1.2; RFC 5915).
func ofDER(outer cryptobyte.String) (Form, bool) {
	first, content := tlv.Next(&outer)
	second, _ := tlv.Next(&outer)
	third, _ := tlv.Next(&outer)
	switch {
	case first == asn1.INTEGER && second == asn1.SEQUENCE && bytes.Equal(content, []byte{3}):
		return PFX, true
	case first == asn1.OBJECT_IDENTIFIER && string(content) == tlv.SignedData[2:]:
		return PKCS7, true
	case first == asn1.OBJECT_IDENTIFIER && bytes.HasPrefix(content, []byte(tlv.SignedData)[2:len(tlv.SignedData)-1]):
		return sealedPKCS7, true
	case first == asn1.INTEGER && (second == asn1.SEQUENCE && third == asn1.OCTET_STRING || second == asn1.INTEGER || second == asn1.OCTET_STRING):
		return Key, true
	case first == asn1.SEQUENCE && second == asn1.OCTET_STRING:
		return EncryptedKey, true
	case first == asn1.SEQUENCE && second == asn1.BIT_STRING:
		return publicKey, true
	case first == asn1.SEQUENCE && second == asn1.SEQUENCE && third == asn1.BIT_STRING:
		return ofSigned(content)
	}
	return Form{}, false
}

// ofSigned distinguishes signed structures: a certificate has its key in the sixth element or, with a version, in the seventh.
func ofSigned(tbs cryptobyte.String) (Form, bool) {
	version := asn1.Tag(0).Constructed().ContextSpecific()
	var tags []asn1.Tag
	for !tbs.Empty() {
		tag, _ := tlv.Next(&tbs)
		if tag == 0 {
			break
		}
		tags = append(tags, tag)
	}
	if len(tags) >= 3 && tags[0] == asn1.INTEGER && tags[1] == asn1.SEQUENCE && tags[2] == asn1.SEQUENCE &&
		(len(tags) == 3 || len(tags) == 4 && tags[3] == version) {
		return request, true
	}
	if len(tags) > 0 && tags[0] == version || len(tags) >= 6 && tags[5] == asn1.SEQUENCE {
		return Certificate, true
	}
	return revocationList, len(tags) >= 3
}
