package bundle

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle/armor"
	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/privatekey"
)

// Parse reads a secret's value as the PFX, PEM or certificates that its content type says it is.
//
// The content type is compared without regard to letter case and parameters (RFC 9110, section 8.3.1). A PFX value is the
// base64 text (RFC 4648, section 4) of a PFX with a blank password (RFC 7292), which is what Key Vault returns whatever the
// password was at import; it may be inside the PEM that certutil -encode writes, or be encoded twice. A PEM value (RFC 7468)
// holds the key as PKCS#8, PKCS#1 or SEC1, and certificates by themselves or in PKCS#7. Under the content types for
// certificates only, the value is PEM as well, or the base64 text of a certificate in DER or of PKCS#7 (RFC 5652, section 5) in
// DER or BER. Keys are RSA of 2048 to 4096 bits or EC on P-256, P-384 or P-521, the range of Key Vault's certificates. A bundle
// without key is accepted, see RequireKey. now decides between several certificates of one key, see Bundle.Leaf.
//
// Every error is an *Error. Parse takes ownership of value and overwrites it before it returns, also after an error. The caller
// calls Wipe on the bundle when it no longer needs the key.
func Parse(contentType string, value []byte, now time.Time) (*Bundle, error) {
	defer clear(value)
	clearStack() // makes the stack grow before it holds a key: the old stack would keep its bytes
	defer clearStack()
	var found contents
	if err := found.readAs(contentType, value); err != nil {
		privatekey.Wipe(found.key)
		return nil, err
	}
	b, err := found.bundle(now)
	if err != nil {
		privatekey.Wipe(found.key)
		return nil, err
	}
	return b, nil
}

// readAs checks content type and size, and passes the value to its decoder.
func (c *contents) readAs(contentType string, value []byte) error {
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.ToLower(strings.TrimSpace(mediaType))
	read := c.reader(mediaType)
	if read == nil {
		return unsupported(mediaType, value)
	}
	if len(value) == 0 {
		return failure.Malformed("the secret's value is empty: import a certificate as its next version")
	}
	if len(value) > MaxSize {
		return failure.Malformed("the secret's value has %d bytes, more than the limit of %d: store only the certificate, its "+
			"chain and its key", len(value), MaxSize)
	}
	return read(value)
}

// reader returns the decoder for a content type, or nil.
func (c *contents) reader(mediaType string) func([]byte) error {
	switch mediaType {
	case ContentTypePFX:
		return c.readPFX
	case ContentTypePEM:
		return c.readPEM
	case ContentTypeCertificate, ContentTypeCACertificate, ContentTypePKCS7, ContentTypePKCS7Old, ContentTypePKCS7Certificate:
		return c.readCertificates
	}
	return nil
}

// unsupported returns the *Error for a content type, with the fix. A value without content type is refused even if it looks
// like PEM: the owner states once what a secret is, instead of every node guessing it at every poll.
func unsupported(mediaType string, value []byte) error {
	found := "the secret has no content type"
	if mediaType != "" {
		found = fmt.Sprintf("the secret's content type is %.100q", mediaType)
	}
	remedy := fmt.Sprintf("import it as a certificate (az keyvault certificate import), or set %s for a PFX, %s for PEM or "+
		"%s for PKCS#7 (az keyvault secret set-attributes --content-type)", ContentTypePFX, ContentTypePEM, ContentTypePKCS7)
	if looksLikePEM(value) {
		remedy = "its value looks like PEM: set it with az keyvault secret set-attributes --content-type " + ContentTypePEM +
			", or import it as a certificate"
	}
	return &Error{Reason: UnsupportedContentType, Message: found + ": " + remedy}
}

// looksLikePEM reports whether a value has a PEM block that this package reads.
func looksLikePEM(value []byte) bool {
	return bytes.Contains(value, []byte(armor.Begin+"CERTIFICATE-----")) || bytes.Contains(value, []byte("PRIVATE KEY-----"))
}
