package pkcs12

import (
	"encoding/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// attribute is a PKCS12Attribute (RFC 7292, section 4.2).
type attribute struct {
	ID     asn1.ObjectIdentifier
	Values asn1.RawValue `asn1:"set"`
}

var (
	oidFriendlyName = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	// oidProvider is szOID_PKCS_12_KEY_PROVIDER_NAME_ATTR of wincrypt.h.
	oidProvider = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 17, 1}
)

// textOf returns the first value of the attribute with this identifier, in printable form; empty if it is missing or not a
// BMPString.
func textOf(attributes []attribute, id asn1.ObjectIdentifier) string {
	for _, a := range attributes {
		var value asn1.RawValue
		if !a.ID.Equal(id) {
			continue
		}
		if _, err := asn1.Unmarshal(a.Values.Bytes, &value); err == nil && value.Tag == asn1.TagBMPString {
			return tlv.Printable(tlv.BMPString(value.Bytes))
		}
	}
	return ""
}
