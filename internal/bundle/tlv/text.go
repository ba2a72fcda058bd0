package tlv

import (
	"strings"
	"unicode"
	"unicode/utf16"
)

// MaxNameLength bounds names that are shown, in UTF-16 code units. Windows' own tools show no more.
const MaxNameLength = 260

// BMPString decodes a BMPString as UTF-16, as Windows writes it. encoding/asn1 refuses characters that UCS-2 did not have.
func BMPString(octets []byte) string {
	units := make([]uint16, 0, len(octets)/2)
	for i := 0; i+1 < len(octets); i += 2 {
		units = append(units, uint16(octets[i])<<8|uint16(octets[i+1]))
	}
	return string(utf16.Decode(units))
}

// Printable returns a name that a log line and a table can show: without control characters (nor those that change the
// direction of the text), with spaces for other white space, and of at most MaxNameLength code units.
func Printable(name string) string {
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
		if length += utf16.RuneLen(r); length > MaxNameLength {
			return strings.TrimSpace(name[:i])
		}
	}
	return name
}
