package bundle

import (
	"encoding/asn1"
	"strings"
	"unicode"
	"unicode/utf16"
)

// maxNameLength bounds names from a PFX, in UTF-16 code units. Windows' own tools show no more.
const maxNameLength = 260

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

// textOf returns the first value of the attribute with this identifier, or nothing if it is missing or no BMPString.
func textOf(attributes []attribute, id asn1.ObjectIdentifier) string {
	for _, a := range attributes {
		var value asn1.RawValue
		if !a.ID.Equal(id) {
			continue
		}
		if _, err := asn1.Unmarshal(a.Values.Bytes, &value); err == nil && value.Tag == asn1.TagBMPString {
			return printable(fromBMP(value.Bytes))
		}
	}
	return ""
}

// fromBMP reads UTF-16, as Windows writes it. encoding/asn1 refuses characters that UCS-2 did not have.
func fromBMP(octets []byte) string {
	var units []uint16
	for i := 0; i+1 < len(octets); i += 2 {
		units = append(units, uint16(octets[i])<<8|uint16(octets[i+1]))
	}
	return string(utf16.Decode(units))
}

// printable makes a name that a log line and a table can show: no control characters (nor those that turn the direction of
// the text), blanks for other white space, at most maxNameLength code units.
func printable(name string) string {
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsPrint(r):
			return r
		case unicode.IsSpace(r):
			return ' '
		}
		return -1
	}, name))
	length := 0
	for i, r := range name {
		if length += utf16.RuneLen(r); length > maxNameLength {
			return strings.TrimSpace(name[:i])
		}
	}
	return name
}
