package x509cert

import (
	"crypto/x509"
	"net"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

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

// textIn returns a string of a name as text. Bytes that are not UTF-8 are replaced.
func textIn(value []byte, tag asn1.Tag) string {
	if tag != tagBMPString {
		return strings.ToValidUTF8(string(value), "\uFFFD")
	}
	return tlv.BMPString(value)
}

// readExtensions reads the extensions that a decision depends on, and skips what it cannot read.
func readExtensions(c *x509.Certificate, rest cryptobyte.String) {
	_ = rest.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) // unique identifiers of version 2
	_ = rest.SkipOptionalASN1(asn1.Tag(2).ContextSpecific())
	var outer, extensions cryptobyte.String
	if !rest.ReadASN1(&outer, tagExtensions.Constructed().ContextSpecific()) || !outer.ReadASN1(&extensions, asn1.SEQUENCE) {
		return
	}
	for !extensions.Empty() {
		var extension, value cryptobyte.String
		var oid tlv.OID
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
