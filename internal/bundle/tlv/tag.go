// Package tlv reads the elements of ASN.1 in BER and DER (tag, length, value; X.690), and the strings in them. It imports none
// of the other packages below internal/bundle.
package tlv

import (
	"encoding/asn1"

	"golang.org/x/crypto/cryptobyte"
	casn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Identifier octets and object identifiers in DER (X.690, sections 8.1.2 and 8.19).
const (
	ObjectIdentifier = "\x06"
	Sequence         = "\x30"
	Explicit0        = "\xa0"
	Explicit1        = "\xa1"

	// SignedData is PKCS#7's signedData (RFC 5652, section 5.1).
	SignedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
)

// OID is an object identifier.
type OID = asn1.ObjectIdentifier

// Decode reads exactly one DER element into out, and reports whether it could.
func Decode(der []byte, out any) bool {
	rest, err := asn1.Unmarshal(der, out)
	return err == nil && len(rest) == 0
}

// Next reads the next element and returns its tag and content; 0 and nil if there is none.
func Next(s *cryptobyte.String) (casn1.Tag, cryptobyte.String) {
	var content cryptobyte.String
	var tag casn1.Tag
	if !s.ReadAnyASN1(&content, &tag) {
		return 0, nil
	}
	return tag, content
}
