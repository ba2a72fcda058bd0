package bundle

import (
	"bytes"
	"crypto/ecdsa"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// wantError checks the reason and a part of the message of an *Error.
func wantError(t *testing.T, err error, reason Reason, message string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got error %v, want *Error", err)
	}
	if e.Reason != reason || !strings.Contains(e.Error(), message) {
		t.Errorf("got %s: %s\nwant %s: …%s…", e.Reason, e.Message, reason, message)
	}
}

func TestContentTypeDecides(t *testing.T) {
	f := newFamily(t, newEC())
	pemValue := join(keyPEM(f.leaf.key), certPEM(f.leaf))
	pfxValue := pfxText(t, pkcs12.Modern, f.leaf.key, f.leaf)
	for name, test := range map[string]struct {
		contentType string
		value       []byte
		reason      Reason
		message     string
	}{
		"PEM is accepted":                       {"application/x-pem-file", pemValue, "", ""},
		"parameters are ignored":                {"application/x-pem-file; charset=utf-8", pemValue, "", ""},
		"letter case and spaces are ignored":    {" Application/X-PKCS12 ;x", pfxValue, "", ""},
		"PFX is accepted":                       {"application/x-pkcs12", pfxValue, "", ""},
		"text is refused by name":               {"text/plain", pfxValue, UnsupportedContentType, `content type is "text/plain": import it as a certificate`},
		"none is refused":                       {"", []byte("x"), UnsupportedContentType, "has no content type: import it"},
		"none is refused for an empty value":    {" ", nil, UnsupportedContentType, "has no content type"},
		"none names PKCS#7 as a fix":            {"", []byte("x"), UnsupportedContentType, "application/pkcs7-mime for PKCS#7"},
		"none with a PEM value names the fix":   {"", pemValue, UnsupportedContentType, "--content-type application/x-pem-file"},
		"a long one is cut":                     {strings.Repeat("x", 300), nil, UnsupportedContentType, `"` + strings.Repeat("x", 100) + `"`},
		"PFX under PEM's content type is named": {"application/x-pem-file", pfxValue, MalformedSecret, "its value is base64 of a PFX: set the content type application/x-pkcs12"},
		"PEM under PFX's content type is named": {"application/x-pkcs12", pemValue, MalformedSecret, "its value is PEM"},
		"an empty value is named":               {"application/x-pkcs12", nil, MalformedSecret, "value is empty"},
		"the largest value is read":             {"application/x-pem-file", pad(pemValue, MaxSize), "", ""},
		"a larger value is refused":             {"application/x-pem-file", pad(pemValue, MaxSize+1), MalformedSecret, "1048577 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			value := bytes.Clone(test.value)
			b, err := Parse(test.contentType, value, moment)
			if len(bytes.Trim(value, "\x00")) != 0 {
				t.Error("the value was not overwritten")
			}
			if test.reason != "" {
				wantError(t, err, test.reason, test.message)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"leaf"}, names(b)); diff != "" {
				t.Error(diff)
			}
			if !b.Key.Public().(*ecdsa.PublicKey).Equal(f.leaf.key.Public()) {
				t.Error("another key")
			}
		})
	}
}

func pad(value []byte, size int) []byte {
	return append(bytes.Clone(value), bytes.Repeat([]byte("\n"), size-len(value))...)
}

func TestTheCallerDecidesAboutABundleWithoutKey(t *testing.T) {
	f := newFamily(t, newEC())
	b, err := Parse(ContentTypePEM, certPEM(f.root, f.leaf, f.intermediate, f.root), moment)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"leaf", "intermediate", "root"}, names(b)); diff != "" {
		t.Error(diff)
	}
	if b.HasKey() {
		t.Error("has a key")
	}
	wantError(t, b.RequireKey(), PrivateKeyMissing, "no private key")
	b.Wipe()

	b, err = Parse(ContentTypePEM, join(certPEM(f.leaf), keyPEM(f.leaf.key)), moment)
	if err != nil || b.RequireKey() != nil || !b.HasKey() {
		t.Errorf("a bundle with key has no key: %v", err)
	}
}
