package x509cert

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// Unreadable returns an *Error that names a certificate that cannot be read by its number and subject, and the cause. A subject is
// public; no other part of a value is ever in a message.
func Unreadable(where string, number int, der []byte) error {
	subject, damage := inspect(der)
	if subject != "" {
		subject = fmt.Sprintf(" (%q)", subject)
	}
	return failure.Malformed("certificate %d of %s%s cannot be read: %s; get it again from the authority, and import it again", number,
		where, subject, damage)
}

// inspect reads as much of a damaged certificate as possible. The most common damage is a length that does not fit: a file that
// was truncated, or two files that were concatenated.
func inspect(der []byte) (subject, damage string) {
	if len(der) == 0 {
		return "", "it is empty"
	}
	if f, known := form.Of(der); known && f != form.Certificate {
		return "", "it is " + f.What
	}
	size, whole := tlv.Size(der)
	if size == 0 || der[0] != tlv.Sequence[0] {
		return "", "it is not a certificate in DER"
	}
	subject, part := firstBroken(der)
	switch {
	case !whole:
		return subject, fmt.Sprintf("it is truncated (%d of %d bytes)", len(der), size)
	case size < len(der):
		return subject, fmt.Sprintf("%d bytes follow its end", len(der)-size)
	case part != "":
		return subject, "its " + part + " is damaged"
	}
	return subject, "its structure is not that of a certificate"
}

// parts of a TBSCertificate in their order (RFC 5280, section 4.1).
var parts = []struct {
	name string
	tag  asn1.Tag
}{
	{"serial number", asn1.INTEGER}, {"signature algorithm", asn1.SEQUENCE}, {"issuer", asn1.SEQUENCE},
	{"validity", asn1.SEQUENCE}, {"subject", asn1.SEQUENCE}, {"public key", asn1.SEQUENCE},
}

// firstBroken returns the name of the first part that cannot be read, and the subject if it can.
func firstBroken(der []byte) (subject, broken string) {
	rest := cryptobyte.String(tlv.Content(tlv.Content(der)))
	_ = rest.SkipOptionalASN1(asn1.Tag(0).Constructed().ContextSpecific())
	for _, part := range parts {
		var element cryptobyte.String
		if !rest.ReadASN1Element(&element, part.tag) {
			return subject, part.name
		}
		if part.name == "subject" {
			name := nameOf(element)
			subject = tlv.Printable(name.String())
		}
	}
	return subject, ""
}
