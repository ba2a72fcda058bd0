package origin

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
)

var corporate = Origin{ConfigMap: &v1alpha1.ConfigMapKey{Name: "corporate", Key: "ca.crt"}, Namespace: "vaultpane-system"}

var key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // the reader never fails

// authority makes a root that ends after some years.
func authority(t testing.TB, name string, years int) []byte {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(years)), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2026+years, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func block(heading string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: heading, Bytes: der}))
}

func read(text string) (names []string, version string, err error) {
	found, version, err := corporate.Certificates([]byte(text))
	if err != nil {
		return nil, "", err
	}
	for _, one := range found.Certificates() {
		names = append(names, one.Subject.CommonName)
	}
	return names, version, nil
}

func TestCertificatesAreReadAsTrustManagerAndOthersWriteThem(t *testing.T) {
	a, b := authority(t, "a", 1), authority(t, "b", 9)
	plain := block("CERTIFICATE", a) + block("CERTIFICATE", b)
	_, want, err := read(plain)
	if err != nil || len(want) != 32 {
		t.Fatalf("version %q: %v", want, err)
	}
	for name, text := range map[string]string{
		"one after the other":   plain,
		"in another order":      block("CERTIFICATE", b) + block("CERTIFICATE", a),
		"one of them twice":     plain + block("CERTIFICATE", a),
		"without a last line":   strings.TrimSuffix(plain, "\n"), // trust-manager
		"comments":              "# CN=a\n" + block("CERTIFICATE", a) + "\n\n# CN=b, of the corporation\n" + block("CERTIFICATE", b) + "\n",
		"line ends of Windows":  strings.ReplaceAll(plain, "\n", "\r\n"),
		"a byte order mark":     "\ufeff" + plain,
		"another heading":       block("X509 CERTIFICATE", a) + block("CERTIFICATE", b),
		"small letters":         strings.NewReplacer("BEGIN CERTIFICATE", "BEGIN certificate ", "END CERTIFICATE", "END certificate ").Replace(plain),
		"comments with dashes":  "--- BEGIN of the list\n-----\n" + plain + "# end of CERTIFICATES ---\n",
		"trust of OpenSSL":      block("TRUSTED CERTIFICATE", append(slices.Clone(a), 0x30, 0)) + block("CERTIFICATE", b),
		"a revocation list too": plain + block("X509 CRL", []byte{0x30, 0}),
	} {
		t.Run(name, func(t *testing.T) {
			names, version, err := read(text)
			if err != nil || version != want || !slices.Equal(names, []string{"b", "a"}) { // the one that expires last comes first
				t.Errorf("got %v, version %s, %v; want [b a], version %s", names, version, err, want)
			}
		})
	}
	if _, other, _ := read(block("CERTIFICATE", a)); other == want {
		t.Error("a smaller bundle has the same version")
	}
}

func TestContentThatIsRefused(t *testing.T) {
	a := block("CERTIFICATE", authority(t, "a", 1))
	pkcs8, _ := x509.MarshalPKCS8PrivateKey(key)
	sec1, _ := x509.MarshalECPrivateKey(key)
	const refused, malformed = bundle.Reason(v1alpha1.ReasonPrivateKeyNotAllowed), bundle.MalformedSecret
	var many strings.Builder
	for i := range maxCertificates + 1 {
		many.WriteString(block("CERTIFICATE", authority(t, "a", i+1)))
	}
	for name, test := range map[string]struct {
		text   string
		reason bundle.Reason
		says   string
	}{
		"a key":                                   {a + block("PRIVATE KEY", pkcs8), refused, "has a private key"},
		"a key before":                            {block("EC PRIVATE KEY", sec1) + a, refused, "has a private key"},
		"a key of RSA":                            {a + block("RSA PRIVATE KEY", []byte{1}), refused, "has a private key"},
		"an encrypted key":                        {a + block("ENCRYPTED PRIVATE KEY", []byte{1}), refused, "has a private key"},
		"a key of OpenSSH":                        {a + block("OPENSSH PRIVATE KEY", []byte{1}), refused, "has a private key"},
		"a key of OpenPGP":                        {a + "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nxx\n-----END PGP PRIVATE KEY BLOCK-----\n", refused, "has a private key"},
		"a key whose end was cut":                 {a + "-----BEGIN PRIVATE KEY-----\nMIG", refused, "has a private key"},
		"a key whose dashes were changed":         {a + "—–BEGIN PRIVATE KEY—–\nMIG", refused, "has a private key"},
		"a key as a certificate":                  {a + block("CERTIFICATE", pkcs8), refused, "has a private key"},
		"a key under a heading of its own":        {a + block("SECRET", sec1), refused, "has a private key"},
		"a key in DER":                            {string(pkcs8), refused, "has a private key"},
		"a key in base64":                         {base64.StdEncoding.EncodeToString(sec1), refused, "has a private key"},
		"a key in UTF-16":                         {utf16(a + block("PRIVATE KEY", pkcs8)), refused, "has a private key"},
		"a PFX":                                   {"\x30\x0c\x02\x01\x03\x30\x07\x06\x05\x2a\x03\x04\x05\x06", malformed, "is a PFX, and must be"},
		"a certificate in DER":                    {string(authority(t, "a", 1)), malformed, "is a certificate in DER"},
		"nothing":                                 {" \n", malformed, "is empty"},
		"words":                                   {"no certificates yet", malformed, "is not PEM"},
		"PKCS#7 beside a certificate":             {a + block("PKCS7", []byte{0x30, 0}), malformed, "PEM block 2 is PKCS#7"},
		"another block":                           {block("X509 CRL", []byte{0x30, 0}), malformed, "has no certificate"},
		"a block that was cut":                    {a + a[:len(a)/2], malformed, "of PEM block 2, it is truncated"},
		"a certificate that is damaged":           {a + block("CERTIFICATE", []byte("damaged")), malformed, "PEM block 2 is not a certificate"},
		"a begin that lost a dash":                {a + a[1:], malformed, "of PEM block 2, its BEGIN line is damaged"},
		"one before another block":                {a[1:] + a, malformed, "of PEM block 1, its BEGIN line is damaged"},
		"a begin with dashes of a word processor": {a + strings.ReplaceAll(a, "-----", "—–"), malformed, "of PEM block 2, its BEGIN line is damaged"},
		"an end without a begin":                  {a + a[len(a)/2:], malformed, "of PEM block 2, its BEGIN line is damaged"},
		"too many":                                {many.String(), malformed, "more than 256 certificates"},
	} {
		t.Run(name, func(t *testing.T) {
			content := []byte(test.text)
			_, _, err := corporate.Certificates(content)
			var failure *bundle.Error
			if !errors.As(err, &failure) || failure.Reason != test.reason || !strings.Contains(failure.Message, test.says) {
				t.Fatalf("got %v, want %s: %s", err, test.reason, test.says)
			}
			if !strings.HasPrefix(failure.Message, "the key ca.crt of the ConfigMap vaultpane-system/corporate ") {
				t.Errorf("the message does not begin with the ConfigMap: %s", failure.Message)
			}
			if len(bytes.Trim(content, "\x00")) > 0 {
				t.Error("the content was not overwritten")
			}
		})
	}
}

func utf16(text string) string {
	wide := "\xff\xfe"
	for _, letter := range []byte(text) {
		wide += string([]byte{letter, 0})
	}
	return wide
}

// TestMarksDependOnTheOrigin: marks in stores were made from these texts.
func TestMarksDependOnTheOrigin(t *testing.T) {
	if got := corporate.String(); got != "configmap/vaultpane-system/corporate/ca.crt" {
		t.Errorf("got %s", got)
	}
	secret, err := Of(v1alpha1.ObservedCertificateSpec{URL: "https://Shop.vault.azure.net:443/secrets/web"}, "any")
	if err != nil || secret.String() != "https://shop.vault.azure.net/secrets/web" {
		t.Errorf("got %s, %v", secret, err)
	}
}

func FuzzCertificates(f *testing.F) {
	a := block("CERTIFICATE", authority(f, "a", 1))
	for _, seed := range []string{a, "# a\n" + a + a, a + block("PRIVATE KEY", []byte("x")), "-----BEGIN ", "\xff\xfe-\x00", ""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		hasKey := keyHeading.Match(content)
		found, version, err := corporate.Certificates(content)
		if len(bytes.Trim(content, "\x00")) > 0 {
			t.Error("the content was not overwritten")
		}
		switch {
		case err != nil:
		case hasKey:
			t.Error("a private key was accepted")
		case len(version) != 32 || found.Leaf == nil || found.HasKey():
			t.Errorf("version %q, bundle %v", version, found)
		}
		for _, one := range certificatesIn(found) {
			if kind, known := form.Of(one); known && isKey(kind) {
				t.Error(fmt.Sprint("a key was taken for a certificate: ", kind.What))
			}
		}
	})
}

func certificatesIn(found *bundle.Bundle) [][]byte {
	if found == nil {
		return nil
	}
	var raw [][]byte
	for _, one := range found.Certificates() {
		raw = append(raw, one.Raw)
	}
	return raw
}
