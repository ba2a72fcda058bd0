package keyvault

import (
	"encoding/json"
	"fmt"
	"io"
)

// The methods below are the only printed forms of a Secret: a log line, a panic or a report shows its version and type.

// String returns the secret's version and content type.
func (s Secret) String() string {
	return fmt.Sprintf("secret(version %s, %q)", s.Version, s.ContentType)
}

// GoString returns what String returns.
func (s Secret) GoString() string { return s.String() }

// Format writes what String returns, whatever the verb and its flags: %v would print the value's bytes otherwise.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// MarshalJSON returns what String returns.
func (s Secret) MarshalJSON() ([]byte, error) { return json.Marshal(s.String()) }
