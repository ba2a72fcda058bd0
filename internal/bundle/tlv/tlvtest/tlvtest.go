// Package tlvtest writes DER for the tests of internal/bundle.
package tlvtest

import "slices"

// Wrap returns the parts one after the other inside DER elements with these identifier octets, the outermost first.
// Unlike asn1.Marshal it cannot fail and leaves no other copies of the parts in memory than the one that it returns.
func Wrap(tags string, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	var head []byte
	for i := len(tags) - 1; i >= 0; i-- {
		head = append(header(tags[i], len(head)+size), head...)
	}
	return slices.Concat(append([][]byte{head}, parts...)...)
}

// header returns an identifier octet and the shortest form of a length (X.690, section 10.1).
func header(tag byte, length int) []byte {
	if length < 0x80 {
		return []byte{tag, byte(length)} //nolint:gosec // G115: less than 0x80
	}
	var octets []byte
	for n := length; n > 0; n >>= 8 {
		octets = slices.Insert(octets, 0, byte(n))
	}
	return append([]byte{tag, 0x80 | byte(len(octets))}, octets...) //nolint:gosec // G115: at most 8
}
