// Package armor reads the text around binary data in a secret's value: base64, PEM, and UTF-16 with a byte order mark. It
// imports none of the other packages below internal/bundle.
package armor

import (
	"bytes"
	"encoding/base64"
)

// DecodeBase64 removes line breaks and spaces from the text, in place, and decodes it. The caller overwrites the result, even
// if the text is not base64 or is empty. DecodeBase64 overwrites the text itself.
func DecodeBase64(value []byte) (der []byte, ok bool) {
	defer clear(value)
	text := value[:0]
	for _, b := range value {
		if b != ' ' && b != '\t' && b != '\r' && b != '\n' {
			text = append(text, b)
		}
	}
	der = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(der, text)
	if err != nil || n == 0 {
		return der, false
	}
	return der[:n], true
}

// IsBase64 reports whether a text is base64. It leaves no copy of what the text holds.
func IsBase64(text []byte) bool {
	der, ok := DecodeBase64(bytes.Clone(text))
	clear(der)
	return ok
}

// ToASCII removes a byte order mark, and the zero bytes of text in UTF-16, in place: PowerShell's Out-File and Windows' editors
// write them. Other values stay as they are.
func ToASCII(value []byte) []byte {
	for _, mark := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff", "\xef\xbf\xbd\xef\xbf\xbd"} {
		if bytes.HasPrefix(value, []byte(mark)) {
			value = value[len(mark):]
			break
		}
	}
	for _, zero := range []int{0, 1} {
		if len(value) < 8 || len(value)%2 != 0 || !isWide(value, zero) {
			continue
		}
		for i := range len(value) / 2 {
			value[i] = value[2*i+1-zero]
		}
		clear(value[len(value)/2:])
		return value[:len(value)/2]
	}
	return value
}

// isWide reports whether every other byte, from this one on, is zero and no other is.
func isWide(value []byte, zero int) bool {
	for i, b := range value {
		if (i%2 == zero) != (b == 0) {
			return false
		}
	}
	return true
}

// IsText reports whether data holds nothing but printable ASCII and white space.
func IsText(data []byte) bool {
	return len(data) > 0 && !bytes.ContainsFunc(data, func(r rune) bool {
		return r != '\t' && r != '\r' && r != '\n' && (r < ' ' || r > '~')
	})
}
