package bundle

import "fmt"

// Problem names what is wrong with a secret's value. Each is the name of a reason in the API.
type Problem string

// Problems.
const (
	UnsupportedContentType Problem = "UnsupportedContentType"
	MalformedSecret        Problem = "MalformedSecret"
	PrivateKeyMissing      Problem = "PrivateKeyMissing"
	KeyMismatch            Problem = "KeyMismatch"
)

// Error is what Parse returns. Its text never holds any part of the value, so the texts of the decoders below, which may
// quote what they could not read, are not wrapped.
type Error struct {
	// Problem is the kind of the error.
	Problem Problem
	// Message says what was found and what to do.
	Message string
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// malformed returns an *Error with MalformedSecret. The arguments are counts, names of ours, or object identifiers.
func malformed(format string, args ...any) error {
	return &Error{Problem: MalformedSecret, Message: fmt.Sprintf(format, args...)}
}
