package certstore

import "fmt"

// Error is the error of a Store.
type Error struct {
	// Operation is what the store was doing, such as "adding the certificate".
	Operation string
	// Ref is the store, empty for operations without one.
	Ref Ref
	// Denied is true if the account that runs the agent lacks the required right.
	Denied bool
	// Unsupported is true if this store can never do the operation, such as importing an EC key into CAPI.
	Unsupported bool
	// Err is the cause; on Windows it wraps the windows.Errno.
	Err error
}

// Error returns the operation, the store and the cause.
func (e *Error) Error() string {
	if e.Ref == (Ref{}) {
		return fmt.Sprintf("%s: %v", e.Operation, e.Err)
	}
	return fmt.Sprintf("%s in %s: %v", e.Operation, e.Ref, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// UnknownAccount is the error for an account that neither the machine nor its domain has. It may be created later.
type UnknownAccount struct {
	// Account is the name.
	Account string
	// Err is the machine's error.
	Err error
}

// Error returns the account and the machine's error.
// The name is not quoted with %q, which doubles the backslash in it.
func (e *UnknownAccount) Error() string { return fmt.Sprintf(`account "%s": %v`, e.Account, e.Err) }

// Unwrap returns the machine's error.
func (e *UnknownAccount) Unwrap() error { return e.Err }
