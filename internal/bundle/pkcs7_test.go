package bundle

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/smallstep/pkcs7"
	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

func TestCertificatesAloneAreReadInEveryForm(t *testing.T) {
	f := newFamily(t, newEC())
	family := []*pair{f.root, f.intermediate, f.leaf}
	der, ber := pkcs7Of(family), openPKCS7(family)
	for name, test := range map[string]struct {
		contentType string
		value       []byte
	}{
		"PEM":                                 {ContentTypePEM, certPEM(family...)},
		"PKCS#7 in PEM":                       {ContentTypePEM, block("PKCS7", der)},
		"in BER":                              {ContentTypePEM, block("PKCS7", ber)},
		"under the heading CMS":               {ContentTypePEM, block("CMS", der)},
		"under an old heading of OpenSSL":     {ContentTypePEM, block("PKCS #7 SIGNED DATA", der)},
		"under the heading certificate chain": {ContentTypePEM, block("CERTIFICATE CHAIN", der)},
		"under Windows' heading":              {ContentTypePEM, block("CERTIFICATE", der)},
		"in BER under Windows' heading":       {ContentTypePEM, block("CERTIFICATE", ber)},
		"two structures and a certificate": {ContentTypePEM, join(block("PKCS7", pkcs7Of([]*pair{f.intermediate})),
			certPEM(f.leaf), block("PKCS7", pkcs7Of([]*pair{f.root, f.intermediate})))},
		"with revocation lists":                   {ContentTypePEM, block("PKCS7", pkcs7Of(family, crl(f.root)))},
		"PEM of OpenSSL":                          {ContentTypePEM, file(t, "openssl.p7b")},
		"base64 of OpenSSL's DER":                 {ContentTypePKCS7, text(file(t, "openssl-der.p7b"))},
		"base64 of a message in OpenSSL's BER":    {ContentTypePKCS7, text(file(t, "openssl-ber.p7b"))},
		"base64 under Windows' type":              {ContentTypePKCS7Certificate, text(der)},
		"base64 of BER with parameters":           {"application/pkcs7-mime; smime-type=certs-only", text(ber)},
		"base64 under the old type":               {ContentTypePKCS7Old, text(der)},
		"PKCS#7 under the type of one":            {ContentTypeCertificate, text(der)},
		"PEM under the type of PKCS#7":            {ContentTypePKCS7, certPEM(family...)},
		"PEM of OpenSSL under the type of PKCS#7": {ContentTypePKCS7Certificate, file(t, "openssl.p7b")},
		"PEM under the type of a CA":              {ContentTypeCACertificate, certPEM(family...)},
		"base64 with line breaks":                 {ContentTypePKCS7, bytes.ReplaceAll(text(der), []byte("MII"), []byte("M\r\nII"))},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(test.contentType, bytes.Clone(test.value), moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"leaf", "intermediate", "root"}, names(b)); diff != "" {
				t.Error(diff)
			}
			wantError(t, b.RequireKey(), PrivateKeyMissing, "no private key")
		})
	}
}

func TestOneCertificateInDERIsRead(t *testing.T) {
	root := newFamily(t, newEC()).root
	for _, contentType := range []string{ContentTypeCertificate, ContentTypeCACertificate, ContentTypePKCS7, ContentTypePKCS7Old, ContentTypePKCS7Certificate} {
		t.Run(contentType, func(t *testing.T) {
			b, err := Parse(contentType, text(root.cert.Raw), moment)
			if err != nil {
				t.Fatal(err)
			}
			if !b.Leaf.Equal(root.cert) || len(b.Chain) != 0 || b.HasKey() {
				t.Errorf("got %v", b)
			}
		})
	}
}

func TestAKeyWithCertificatesIsRead(t *testing.T) {
	f := newFamily(t, newEC())
	b, err := Parse(ContentTypeCertificate, join(keyPEM(f.leaf.key), block("PKCS7", pkcs7Of([]*pair{f.root, f.leaf, f.intermediate}))), moment)
	if err != nil || b.RequireKey() != nil {
		t.Fatalf("got %v, %v", b, err)
	}
	if diff := cmp.Diff([]string{"leaf", "intermediate", "root"}, names(b)); diff != "" {
		t.Error(diff)
	}
}

func TestCertificatesThatCannotBeUsedAreExplained(t *testing.T) {
	f := newFamily(t, newEC())
	good := pkcs7Of([]*pair{f.root})
	broken := bytes.Replace(good, f.root.cert.RawSubject, bytes.Repeat([]byte{0xff}, len(f.root.cert.RawSubject)), 2)
	reader := issue(t, "reader", newRSA(2048), nil, nil)
	enveloped := must(pkcs7.Encrypt([]byte("secret"), []*x509.Certificate{reader.cert}))
	for name, test := range map[string]struct {
		value   []byte
		message string
	}{
		"nothing":                     {nil, "value is empty"},
		"blanks":                      {[]byte(" \n"), "neither PEM nor base64"},
		"text":                        {[]byte("héllo"), "neither PEM nor base64"},
		"another file":                {text([]byte("PK\x03\x04\x00")), "base64 of a ZIP archive"},
		"a PFX":                       {text(must(pkcs12.Modern.Encode(f.leaf.key, f.leaf.cert, nil, ""))), "its value is base64 of a PFX: set the content type application/x-pkcs12"},
		"a certificate cut short":     {text(f.root.cert.Raw[:100]), `certificate 1 of the value ("CN=root") cannot be read: it is truncated (100 of `},
		"encrypted PKCS#7":            {text(enveloped), "base64 of PKCS#7 that is encrypted or has no certificates"},
		"encrypted PKCS#7 in PEM":     {block("PKCS7", enveloped), "holds no certificate"},
		"PKCS#7 without certificates": {text(pkcs7Of(nil)), "holds no certificate: write it with"},
		"revocation lists only":       {text(pkcs7Of(nil, crl(f.root))), "revocation lists but no certificate"},
		"PKCS#7 cut short":            {text(good[:len(good)-1]), "PKCS#7 structure cannot be read"},
		"a damaged certificate in it": {text(broken), "PKCS#7 structure cannot be read"},
		"PEM that is cut short":       {[]byte("-----BEGIN PKCS7-----\nMII"), "1 of the value's 1 PEM blocks"},
		"a damaged one in PEM":        {block("CERTIFICATE", f.root.cert.Raw[:100]), `certificate 1 of the PEM value ("CN=root") cannot be read: it is truncated (100 of `},
		"too many": {join(block("PKCS7", pkcs7Of(many(t, 86))), block("PKCS7", pkcs7Of(many(t, 86))), block("PKCS7", pkcs7Of(many(t, 85)))),
			"more than 256 certificates"},
	} {
		t.Run(name, func(t *testing.T) {
			value := bytes.Clone(test.value)
			_, err := Parse(ContentTypePKCS7, value, moment)
			wantError(t, err, MalformedSecret, test.message)
			if len(bytes.Trim(value, "\x00")) != 0 {
				t.Error("the value was not overwritten")
			}
		})
	}
}

func TestDeepNestingCostsLittle(t *testing.T) {
	depth := MaxSize / 8
	for name, value := range map[string][]byte{
		"with indefinite lengths": text(nested(depth)),
		"never closed":            text(nested(depth)[:2*depth]),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := Parse(ContentTypePKCS7, value, moment)
			wantError(t, err, MalformedSecret, "PKCS#7 structure")
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// nested returns PKCS#7 in BER whose content is nested lists.
func nested(depth int) []byte {
	head := []byte(tagSequence + "\x80" + derSignedData)
	return join(head, bytes.Repeat([]byte("\xa0\x80"), depth), []byte(derNull), make([]byte, 2*depth+2))
}

// crl returns a revocation list as a part of SignedData.
func crl(issuer *pair) []byte {
	signing := *issuer.cert
	signing.KeyUsage, signing.SubjectKeyId = x509.KeyUsageCRLSign, []byte{1}
	list := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: start,
		NextUpdate: start.AddDate(1, 0, 0)}, &signing, issuer.key))
	return wrap("\xa1", list)
}

func many(t *testing.T, count int) []*pair {
	t.Helper()
	key := newEC()
	var pairs []*pair
	for range count {
		pairs = append(pairs, issue(t, "one of many", key, nil, nil))
	}
	return pairs
}
