package certstore

import (
	"encoding/json"
	"fmt"
	"io"
)

// The methods below are the only printed forms of an Item, so that no log line or panic contains its key, also where the printer
// follows pointers, as JSON does.

// String returns the thumbprint, and whether the item has a key.
func (i Item) String() string {
	text := "item("
	if i.Certificate != nil {
		text += Thumbprint(i.Certificate)
	}
	if i.Key != nil {
		text += " with key"
	}
	return text + ")"
}

// GoString returns what String returns.
func (i Item) GoString() string { return i.String() }

// Format writes what String returns, whatever the verb and its flags.
func (i Item) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, i.String()) }

// MarshalJSON returns what String returns.
func (i Item) MarshalJSON() ([]byte, error) { return json.Marshal(i.String()) }
