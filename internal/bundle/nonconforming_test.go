package bundle

import (
	"bytes"
	"crypto/x509"
	"testing"

	"github.com/google/go-cmp/cmp"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// oddFamily returns a family with one certificate that Go's parser refuses.
func oddFamily(t testing.TB, at, defect string) (family, []*x509.Certificate) {
	t.Helper()
	f := newFamily(t, newEC())
	number := func(c *x509.Certificate) {
		c.SerialNumber.SetInt64(oddSerial)
		c.Subject.CommonName = "my_certs"
		c.IsCA = at != "leaf"
	}
	certs := []*x509.Certificate{f.root.cert, f.intermediate.cert, f.leaf.cert} // the order of Key Vault
	change := func(original *pair, issuer *pair) *x509.Certificate {
		again := issue(t, "my_certs", original.key, issuer, number)
		if issuer == nil {
			issuer = original
		}
		der := resigned(t, again.cert, issuer.key, func(tbs []byte) []byte { return everywhere(nonconforming[defect], tbs) })
		if _, err := x509.ParseCertificate(der); err == nil {
			t.Fatal("Go's parser accepts it: this test proves nothing")
		}
		return must(x509cert.Read(der))
	}
	switch at {
	case "root":
		certs[0] = change(f.root, nil)
		f.root = &pair{certs[0], f.root.key}
		f.intermediate = issue(t, "intermediate", f.intermediate.key, &pair{&x509.Certificate{RawSubject: certs[0].RawSubject, PublicKey: certs[0].PublicKey}, f.root.key}, ca)
		certs[1] = f.intermediate.cert
	case "intermediate":
		certs[1] = change(f.intermediate, f.root)
		f.leaf = issue(t, "leaf", f.leaf.key, &pair{&x509.Certificate{RawSubject: certs[1].RawSubject, PublicKey: certs[1].PublicKey}, f.intermediate.key}, nil)
		certs[2] = f.leaf.cert
	case "leaf":
		certs[2] = change(f.leaf, f.intermediate)
	}
	return f, certs
}

// everywhere applies a change as often as the bytes allow: a self-signed certificate has its name twice.
func everywhere(change func([]byte) []byte, tbs []byte) []byte {
	tbs = change(tbs)
	return bytes.ReplaceAll(tbs, append([]byte{0x0c, 8}, "my_certs"...), append([]byte{0x13, 8}, "my_certs"...))
}

func TestAPFXWithACertificateThatOnlyGoRefusesIsRead(t *testing.T) {
	encoders := map[string]*pkcs12.Encoder{
		"modern": pkcs12.Modern2023, "modern with PBMAC1": pkcs12.Modern2026, "3DES": pkcs12.LegacyDES, "RC2": pkcs12.LegacyRC2,
		"not encrypted": pkcs12.Passwordless,
	}
	for defect := range nonconforming {
		for _, at := range []string{"root", "intermediate", "leaf"} {
			f, certs := oddFamily(t, at, defect)
			for name, encoder := range encoders {
				t.Run(defect+" in the "+at+", "+name, func(t *testing.T) {
					der := must(encoder.Encode(f.leaf.key, certs[0], certs[1:], ""))
					wantCertificates(t, ContentTypePFX, text(der), certs[2], certs[1], certs[0])
				})
			}
			t.Run(defect+" in the "+at+", PKCS#7 in PEM", func(t *testing.T) {
				pairs := []*pair{{cert: certs[0]}, {cert: certs[1]}, {cert: certs[2]}}
				for _, der := range [][]byte{pkcs7Of(pairs), openPKCS7(pairs)} {
					wantCertificates(t, ContentTypePEM, join(block("PKCS7", der), keyPEM(f.leaf.key)), certs[2], certs[1], certs[0])
				}
			})
		}
	}
}

func wantCertificates(t *testing.T, contentType string, value []byte, want ...*x509.Certificate) {
	t.Helper()
	b, err := Parse(contentType, value, moment)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(thumbprints(want), thumbprints(b.Certificates())); diff != "" || !b.HasKey() {
		t.Errorf("key: %v, %s", b.HasKey(), diff)
	}
}

func TestADamagedCertificateIsNamedByNumberSubjectAndDamage(t *testing.T) {
	f := newFamily(t, newEC())
	good := f.intermediate.cert.Raw
	broken := func(part []byte) []byte { return bytes.Replace(good, part, bytes.Repeat([]byte{0xff}, len(part)), 1) }
	for name, test := range map[string]struct {
		der     []byte
		message string
	}{
		"cut short":            {good[:len(good)-40], `("CN=intermediate") cannot be read: it is truncated (`},
		"extra bytes":          {append(bytes.Clone(good), 0, 0), `("CN=intermediate") cannot be read: 2 bytes follow its end; get it again from the authority`},
		"an unreadable key":    {broken(f.intermediate.cert.RawSubjectPublicKeyInfo), `("CN=intermediate") cannot be read: its public key is damaged`},
		"an unreadable name":   {broken(f.intermediate.cert.RawSubject), ` cannot be read: its subject is damaged`},
		"an unreadable issuer": {broken(f.intermediate.cert.RawIssuer), ` cannot be read: its issuer is damaged`},
		"nothing":              {nil, ` cannot be read: it is empty`},
		"a request":            {newRequest(t), ` a certificate request (CSR)`},
		"text":                 {[]byte("hello"), ` cannot be read: it is not a certificate in DER`},
		"no signature":         {wrap(tagSequence, f.intermediate.cert.RawTBSCertificate), `("CN=intermediate") cannot be read: its structure is not that of a certificate`},
	} {
		bad := &pair{cert: &x509.Certificate{Raw: test.der}}
		for where, value := range map[string]struct {
			contentType string
			value       []byte
		}{
			"PFX":                 {ContentTypePFX, text(pfxOf(plainSafe(certBag(f.leaf), certBag(bad), keyBag(f.leaf.key))))},
			"PFX, encrypted":      {ContentTypePFX, text(pfxOf(sealedSafe(1, wrap(tagSequence, certBag(f.leaf), certBag(bad))), plainSafe(keyBag(f.leaf.key))))},
			"PEM value":           {ContentTypePEM, join(certPEM(f.leaf, bad), keyPEM(f.leaf.key))},
			"PFX, modern encoder": {ContentTypePFX, text(must(pkcs12.Modern.Encode(f.leaf.key, f.leaf.cert, []*x509.Certificate{bad.cert}, "")))},
		} {
			t.Run(name+" in a "+where, func(t *testing.T) {
				_, err := Parse(value.contentType, value.value, moment)
				wantError(t, err, MalformedSecret, test.message)
				wantError(t, err, MalformedSecret, "2")
			})
		}
	}
}

func TestABagWithAnotherTypeOfCertificateIsNamed(t *testing.T) {
	f := newFamily(t, newEC())
	sdsi := wrap(tagSequence, []byte("\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x02"), wrap(tagExplicit0+tagOctetString, []byte{1}))
	bag := wrap(tagSequence, []byte(derCertBag), wrap(tagExplicit0, sdsi))
	_, err := Parse(ContentTypePFX, text(pfxOf(plainSafe(certBag(f.leaf), bag))), moment)
	wantError(t, err, MalformedSecret, "certificate 2 of the PFX is not an X.509 certificate (its type is 1.2.840.113549.1.9.22.2): export only X.509 certificates")
}
