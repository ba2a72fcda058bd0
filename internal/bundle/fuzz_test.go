package bundle

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf16"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// FuzzParsePFX varies the DER below the base64, mostly without MAC, which would detect every change.
func FuzzParsePFX(f *testing.F) {
	for _, name := range must(filepath.Glob("testdata/*.pfx")) {
		f.Add(file(f, filepath.Base(name)))
	}
	fam := newFamily(f, newEC())
	leaf, key := certBag(fam.leaf), keyBag(fam.leaf.key)
	modern := safesOf(f, must(pkcs12.Modern.Encode(fam.leaf.key, fam.leaf.cert, nil, "")))
	legacy := safesOf(f, must(pkcs12.LegacyRC2.Encode(newRSA(2048), fam.leaf.cert, nil, "")))
	f.Add(pfxOf(modern...))
	f.Add(pfxOf(legacy...))
	f.Add(pfxOf(plainSafe(leaf, key, certBag(fam.root), otherBag())))
	f.Add(pfxOf(plainSafe(key), plainSafe(leaf), sealedSafe(1, wrap(tagSequence, certBag(fam.root)))))
	f.Add(hiddenKey(f, fam.leaf))
	f.Add(pfxWithAbsentPassword(plainSafe(leaf), modern[0]))
	f.Add(pfxOf(plainSafe(with(leaf, attr(oidFriendlyName, bmp("leaf")), attr(oidProvider)), with(key, attr(oidProvider, bmp("provider"))))))
	f.Add(pfxOf(plainSafe(key), sealedSafe(1, wrap(tagSequence, with(leaf, attr(oidFriendlyName, bmp("a\tb\u202e")))))))
	f.Fuzz(func(t *testing.T, der []byte) { parseSafely(t, ContentTypePFX, text(der)) })
}

// FuzzParsePEM varies the text.
func FuzzParsePEM(f *testing.F) {
	fam := newFamily(f, newEC())
	self := issue(f, "self", newRSA(2048), nil, nil)
	sec1 := must(x509.MarshalECPrivateKey(fam.leaf.key.(*ecdsa.PrivateKey)))
	f.Add(join(keyPEM(fam.leaf.key), certPEM(fam.root, fam.leaf, fam.intermediate)))
	f.Add(join(certPEM(fam.leaf), []byte("text\n"), block("EC PARAMETERS", []byte(derP256)), block("EC PRIVATE KEY", sec1)))
	f.Add(join(block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(newRSA(2048))), certPEM(self)))
	f.Add(certPEM(fam.root, fam.root))
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END EC PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN PKCS7-----\n-----END PKCS7-----\n-----BEGIN "))
	f.Add(block("PKCS7", pkcs7Of([]*pair{fam.root, fam.leaf})))
	f.Add(join(keyPEM(fam.leaf.key), certPEM(fam.leaf), block("CERTIFICATE", openPKCS7([]*pair{fam.root, fam.intermediate}))))
	f.Add(file(f, "openssl.p7b"))
	f.Fuzz(func(t *testing.T, value []byte) { parseSafely(t, ContentTypePEM, value) })
}

// FuzzParseText varies a value under the content type of a PFX or of certificates: its encodings, and other forms.
func FuzzParseText(f *testing.F) {
	fam := newFamily(f, newEC())
	pfx := must(pkcs12.Modern.Encode(fam.leaf.key, fam.leaf.cert, nil, ""))
	for _, value := range [][]byte{
		text(pfx), text(text(pfx)), block("CERTIFICATE", pfx), block("CERTIFICATE", text(pfx)), wide(block("PFX", pfx), false), certPEM(fam.leaf),
		text(certPEM(fam.leaf)), []byte(`{"data":"MII=","dataType":"pfx","password":"x"}`), []byte("<html>"), text(newRequest(f)), text(list(fam.root)),
		[]byte("-----BEGIN X-----\\nMII=\\n-----END X-----"), []byte("-----BEGIN PGP MESSAGE-----\n-----END PGP MESSAGE-----"),
	} {
		f.Add(value, false)
		f.Add(value, true)
	}
	f.Fuzz(func(t *testing.T, value []byte, certificates bool) {
		contentType := ContentTypePFX
		if certificates {
			contentType = ContentTypePKCS7
		}
		parseSafely(t, contentType, value)
	})
}

// FuzzParseCertificates varies the DER or BER below the base64 of a value with certificates only.
func FuzzParseCertificates(f *testing.F) {
	for _, name := range []string{"openssl-der.p7b", "openssl-ber.p7b"} {
		f.Add(file(f, name))
	}
	fam := newFamily(f, newEC())
	pairs := []*pair{fam.root, fam.leaf, fam.intermediate}
	f.Add(fam.root.cert.Raw)
	f.Add(pkcs7Of(pairs))
	f.Add(pkcs7Of(nil, crl(fam.root)))
	f.Add(pkcs7Of(pairs, crl(fam.root)))
	f.Add(openPKCS7(pairs))
	f.Add(nested(100))
	f.Fuzz(func(t *testing.T, der []byte) { parseSafely(t, ContentTypePKCS7, text(der)) })
}

// parseSafely checks the guarantees of Parse for every value.
func parseSafely(t *testing.T, contentType string, value []byte) {
	t.Helper()
	value = append([]byte(nil), value...) // Parse overwrites it, which a fuzz target may not
	began := time.Now()
	b, err := Parse(contentType, value, moment)
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("took %v", took)
	}
	for _, octet := range value {
		if octet != 0 {
			t.Fatal("the value was not overwritten")
		}
	}
	var e *Error
	if err != nil {
		if b != nil || !errors.As(err, &e) || e.Reason == "" || e.Message == "" {
			t.Fatalf("got %v with %v", b, err)
		}
		return
	}
	if b.Leaf == nil || len(b.Certificates()) != len(b.Chain)+1 || !b.HasKey() && b.ProviderName != "" {
		t.Fatalf("got an incomplete bundle: %v", b)
	}
	for _, name := range []string{b.FriendlyName, b.ProviderName} {
		if tlv.Printable(name) != name || len(utf16.Encode([]rune(name))) > tlv.MaxNameLength {
			t.Fatalf("got the name %q", name)
		}
	}
	if b.HasKey() && !b.Key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(b.Leaf.PublicKey) {
		t.Fatal("the key does not match the leaf")
	}
	b.Wipe()
}
