package certstore

import "fmt"

// Error is what a Store returns when it refused or failed.
type Error struct {
	// Operation says what was being done, such as "adding the certificate".
	Operation string
	// Ref is the store, empty where it is about none.
	Ref Ref
	// Denied is true where the account that runs the agent lacks the right.
	Denied bool
	// Unsupported is true where this store can never do what was asked, such as an EC key in CAPI.
	Unsupported bool
	// Err is the cause; on Windows it wraps the windows.Errno.
	Err error
}

// Error returns what was done, where, and the cause.
func (e *Error) Error() string {
	if e.Ref == (Ref{}) {
		return fmt.Sprintf("%s: %v", e.Operation, e.Err)
	}
	return fmt.Sprintf("%s in %s: %v", e.Operation, e.Ref, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// UnknownAccount says that a machine, and its domain, have no account of a name. It may come to be later.
type UnknownAccount struct {
	// Account is the name.
	Account string
	// Err is what the machine answered.
	Err error
}

// Error says which account, and the machine's answer.
// The name is not quoted with %q, which doubles the backslash in it.
func (e *UnknownAccount) Error() string { return fmt.Sprintf(`account "%s": %v`, e.Account, e.Err) }

// Unwrap returns the machine's answer.
func (e *UnknownAccount) Unwrap() error { return e.Err }
