package winerror

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows"
)

// ErrUnsupported is wrapped by the errors of operations that this machine or provider can never do.
var ErrUnsupported = errors.New("not supported")

// namedError is an error whose text contains the number and name of every Windows error code.
type namedError struct {
	text string
	err  error
}

func (e *namedError) Error() string { return e.text }

func (e *namedError) Unwrap() error { return e.err }

// Named returns the error with number, name and English text in place of the system's text of each Windows error code.
func Named(err error) error {
	text := err.Error()
	for _, code := range codesOf(err) {
		text = strings.ReplaceAll(text, code.Error(), describe(uint32(code), code.Error()))
	}
	return &namedError{text: text, err: err}
}

// codesOf returns the distinct Windows error codes in an error and in the errors that it wraps, without those that Go invented,
// which have the application bit (syscall.APPLICATION_ERROR).
func codesOf(err error) []windows.Errno {
	const invented = 1 << 29
	var found []windows.Errno
	seen := map[string]bool{}
	var visit func(error)
	visit = func(err error) {
		switch wrapping := err.(type) { //nolint:errorlint // this is what walks the chain
		case windows.Errno:
			if wrapping&invented == 0 && !seen[wrapping.Error()] {
				seen[wrapping.Error()] = true
				found = append(found, wrapping)
			}
		case interface{ Unwrap() error }:
			if inner := wrapping.Unwrap(); inner != nil {
				visit(inner)
			}
		case interface{ Unwrap() []error }:
			for _, inner := range wrapping.Unwrap() {
				visit(inner)
			}
		}
	}
	visit(err)
	return found
}

// Is reports whether an error wraps one of several codes.
func Is(err error, codes ...windows.Errno) bool {
	for _, code := range codes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
