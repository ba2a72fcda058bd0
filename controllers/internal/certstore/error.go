package certstore

import "fmt"

// Error is what a Store returns when it refused or failed.
type Error struct {
	// Operation says what was being done, such as "adding the certificate".
	Operation string
	// Ref is the store.
	Ref Ref
	// Denied is true where the account that runs the agent lacks the right.
	Denied bool
	// Unsupported is true where this store can never do what was asked, such as an EC key in CAPI.
	Unsupported bool
	// Err is the cause; on Windows it wraps the windows.Errno.
	Err error
}

// Error returns what was done, where, and the cause.
func (e *Error) Error() string { return fmt.Sprintf("%s in %s: %v", e.Operation, e.Ref, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
