package bundle

import (
	"crypto/x509"
	stdasn1 "encoding/asn1"
	"net"
	"strings"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

type encodedOID = stdasn1.ObjectIdentifier

// Tags that cryptobyte/asn1 does not name (X.680, section 8.6).
const (
	tagBMPString       = asn1.Tag(30)
	tagExtensions      = asn1.Tag(3)
	tagDNSName         = asn1.Tag(2)
	tagIPAddress       = asn1.Tag(7)
	tagKeyIdentifier   = asn1.Tag(0)
	oidSubjectKeyID    = "2.5.29.14"
	oidAlternativeName = "2.5.29.17"
	oidConstraints     = "2.5.29.19"
	oidAuthorityKeyID  = "2.5.29.35"
)

// textIn returns a string of a name as text. Bytes that are no UTF-8 are replaced.
func textIn(value []byte, tag asn1.Tag) string {
	if tag != tagBMPString {
		return strings.ToValidUTF8(string(value), "\uFFFD")
	}
	units := make([]uint16, 0, len(value)/2)
	for i := 0; i+1 < len(value); i += 2 {
		units = append(units, uint16(value[i])<<8|uint16(value[i+1]))
	}
	return string(utf16.Decode(units))
}

// readExtensions reads those extensions that a decision here depends on, and passes over what it cannot read.
func readExtensions(c *x509.Certificate, rest cryptobyte.String) {
	_ = rest.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) // unique identifiers of version 2
	_ = rest.SkipOptionalASN1(asn1.Tag(2).ContextSpecific())
	var outer, extensions cryptobyte.String
	if !rest.ReadASN1(&outer, tagExtensions.Constructed().ContextSpecific()) || !outer.ReadASN1(&extensions, asn1.SEQUENCE) {
		return
	}
	for !extensions.Empty() {
		var extension, value cryptobyte.String
		var oid encodedOID
		if !extensions.ReadASN1(&extension, asn1.SEQUENCE) || !extension.ReadASN1ObjectIdentifier(&oid) ||
			!extension.SkipOptionalASN1(asn1.BOOLEAN) || !extension.ReadASN1(&value, asn1.OCTET_STRING) {
			return
		}
		readExtension(c, oid.String(), value)
	}
}

func readExtension(c *x509.Certificate, oid string, value cryptobyte.String) {
	var content cryptobyte.String
	switch oid {
	case oidSubjectKeyID:
		if value.ReadASN1(&content, asn1.OCTET_STRING) {
			c.SubjectKeyId = content
		}
	case oidAuthorityKeyID:
		var id cryptobyte.String
		if value.ReadASN1(&content, asn1.SEQUENCE) && content.ReadASN1(&id, tagKeyIdentifier.ContextSpecific()) {
			c.AuthorityKeyId = id
		}
	case oidConstraints:
		var isAuthority bool
		if value.ReadASN1(&content, asn1.SEQUENCE) && content.ReadASN1Boolean(&isAuthority) {
			c.IsCA = isAuthority
		}
		c.BasicConstraintsValid = true
	case oidAlternativeName:
		if value.ReadASN1(&content, asn1.SEQUENCE) {
			readNames(c, content)
		}
	}
}

func readNames(c *x509.Certificate, names cryptobyte.String) {
	for !names.Empty() {
		var value cryptobyte.String
		var tag asn1.Tag
		if !names.ReadAnyASN1(&value, &tag) {
			return
		}
		switch {
		case tag == tagDNSName.ContextSpecific():
			c.DNSNames = append(c.DNSNames, textIn(value, tag))
		case tag == tagIPAddress.ContextSpecific() && addresses[len(value)]:
			c.IPAddresses = append(c.IPAddresses, net.IP(value))
		}
	}
}
