package bundle

import (
	"crypto/sha1" //nolint:gosec // a thumbprint is an identifier here, not a protection
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// The methods below are the only printed forms of a bundle. They have value receivers, so that they apply to copies as well as to
// pointers, and show thumbprints (SHA-1, upper-case hexadecimal digits) and whether there is a key.

// String returns the thumbprints in one line.
func (b Bundle) String() string {
	var parts []string
	if b.Leaf != nil {
		parts = append(parts, "leaf "+thumbprint(b.Leaf))
	}
	if len(b.Chain) > 0 {
		parts = append(parts, "chain "+strings.Join(thumbprints(b.Chain), " "))
	}
	if b.Key != nil {
		parts = append(parts, "with key")
	}
	return "bundle(" + strings.Join(parts, ", ") + ")"
}

// GoString returns what String returns.
func (b Bundle) GoString() string { return b.String() }

// Format writes what String returns, whatever the verb and its flags: %+v and %#v would print the fields otherwise, and
// %d or %x the numbers of the key.
func (b Bundle) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, b.String()) }

// MarshalJSON returns the thumbprints as an object.
func (b Bundle) MarshalJSON() ([]byte, error) {
	object := struct {
		Leaf   string   `json:"leaf,omitempty"`
		Chain  []string `json:"chain"`
		HasKey bool     `json:"hasKey"`
	}{Chain: thumbprints(b.Chain), HasKey: b.Key != nil}
	if b.Leaf != nil {
		object.Leaf = thumbprint(b.Leaf)
	}
	return json.Marshal(object)
}

func thumbprints(certs []*x509.Certificate) []string {
	all := make([]string, 0, len(certs))
	for _, c := range certs {
		all = append(all, thumbprint(c))
	}
	return all
}

func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw) //nolint:gosec // as above
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}
