package bundle

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// errCertificate says which certificate cannot be read, by its number and subject, and why. A subject is public; no other part
// of a value is ever told.
func errCertificate(where string, number int, der []byte) error {
	subject, fault := damage(der)
	if subject != "" {
		subject = fmt.Sprintf(" (%q)", subject)
	}
	return malformed("certificate %d of %s%s cannot be read: %s; get it again from the authority, and import it anew", number, where,
		subject, fault)
}

// damage reads as much of a broken certificate as there is. Lengths that do not fit are the damage met most: a file that was
// cut, or two that were written one behind the other.
func damage(der []byte) (subject, fault string) {
	if len(der) == 0 {
		return "", "it is empty"
	}
	if f, known := formOf(der); known && f != formCertificate {
		return "", "it is " + f.what
	}
	size, whole := elementSize(der)
	if size == 0 || der[0] != tagSequence[0] {
		return "", "it is no certificate in DER"
	}
	subject, part := firstBroken(der)
	switch {
	case !whole:
		return subject, fmt.Sprintf("it is cut short (%d of %d bytes)", len(der), size)
	case size < len(der):
		return subject, fmt.Sprintf("%d bytes follow behind its end", len(der)-size)
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

// firstBroken names the first part that cannot be read, and the subject if that is not it.
func firstBroken(der []byte) (subject, broken string) {
	rest := cryptobyte.String(contentOf(contentOf(der)))
	_ = rest.SkipOptionalASN1(asn1.Tag(0).Constructed().ContextSpecific())
	for _, part := range parts {
		var element cryptobyte.String
		if !rest.ReadASN1Element(&element, part.tag) {
			return subject, part.name
		}
		if part.name == "subject" {
			name := nameOf(element)
			subject = printable(name.String())
		}
	}
	return subject, ""
}

// elementSize returns the size of the first element with its header, 0 if it has no definite length, and whether all of it is
// there.
func elementSize(der []byte) (size int, whole bool) {
	header := headerSize(der)
	if header == 0 {
		return 0, false
	}
	length := int(der[1])
	if header > 2 {
		length = 0
		for _, octet := range der[2:header] {
			length = length<<8 | int(octet)
		}
	}
	return header + length, header+length <= len(der)
}

// headerSize returns the size of an identifier octet and a length of at most 2^24 (X.690, section 8.1.3), or 0.
func headerSize(der []byte) int {
	switch {
	case len(der) < 2:
		return 0
	case der[1] < 0x80:
		return 2
	case der[1] == 0x80 || der[1] > 0x83 || len(der) < 2+int(der[1]&0x7f):
		return 0
	}
	return 2 + int(der[1]&0x7f)
}

// contentOf returns what is in the first element, as far as it is there.
func contentOf(der []byte) []byte {
	size, whole := elementSize(der)
	if size == 0 {
		return nil
	}
	if whole {
		der = der[:size]
	}
	return der[headerSize(der):]
}
