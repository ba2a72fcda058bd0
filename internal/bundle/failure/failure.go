// Package failure is the error of internal/bundle, for all packages below it. It imports none of them.
package failure

import "fmt"

// Reason is what is wrong with a secret's value. Each is the name of a reason in the API.
type Reason string

// The reasons.
const (
	UnsupportedContentType Reason = "UnsupportedContentType"
	MalformedSecret        Reason = "MalformedSecret"
	PrivateKeyMissing      Reason = "PrivateKeyMissing"
	KeyMismatch            Reason = "KeyMismatch"
)

// Error is what bundle.Parse returns. Its text never holds any part of the value, so errors of decoders, whose texts may quote
// what they could not read, are not wrapped.
type Error struct {
	// Reason is the kind of the error.
	Reason Reason
	// Message states what was found and what to do.
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Malformed returns an *Error with MalformedSecret. The arguments are counts, names of ours, or object identifiers.
func Malformed(format string, args ...any) error {
	return &Error{Reason: MalformedSecret, Message: fmt.Sprintf(format, args...)}
}
