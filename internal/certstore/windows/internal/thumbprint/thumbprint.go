// Package thumbprint converts SHA-1 thumbprints between the forms in which Windows and its programs keep them.
package thumbprint

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Size is the length of a thumbprint in bytes.
const Size = 20

var form = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)

// Bytes returns the bytes of a thumbprint of exactly 40 hexadecimal digits. Anything else is an error: it is written into the
// configuration of programs, or into a script.
func Bytes(text string) ([]byte, error) {
	if !form.MatchString(text) {
		return nil, fmt.Errorf("%q is not a thumbprint: it needs 40 hexadecimal digits", text)
	}
	return hex.DecodeString(text)
}

// Text returns the upper-case digits of a thumbprint, and "" for bytes of another length, which are none.
func Text(hash []byte) string {
	if len(hash) != Size {
		return ""
	}
	return strings.ToUpper(hex.EncodeToString(hash))
}

// Clean returns a text that people and tools write as a thumbprint in upper case, without spaces and characters that are not
// visible, such as the mark before a thumbprint that was copied from Windows' certificate dialog. A text that is no thumbprint
// remains one: a program that has it uses something else than a certificate of ours.
func Clean(text string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text))
}

// Unchanged returns an error if a program has another certificate than when it was read. Each is upper-case, or empty for none.
func Unchanged(now, seen string) error {
	if now == seen {
		return nil
	}
	return fmt.Errorf("it has %s now, and had %s when it was read: another program has changed it, and nothing was written", named(now), named(seen))
}

func named(thumbprint string) string {
	if thumbprint == "" {
		return "no certificate"
	}
	return "the certificate " + thumbprint
}
