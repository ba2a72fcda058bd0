package winerror

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows"
)

// ErrUnsupported is wrapped by what this machine, or this kind of provider, can never do.
var ErrUnsupported = errors.New("not supported")

// namedError is an error in which every code of Windows has its number and its name.
type namedError struct {
	text string
	err  error
}

func (e *namedError) Error() string { return e.text }

func (e *namedError) Unwrap() error { return e.err }

// Named puts number, name and text where an error has the system's text, or no text, for a code of Windows.
func Named(err error) error {
	text := err.Error()
	for _, code := range codesOf(err) {
		text = strings.ReplaceAll(text, code.Error(), describe(uint32(code), code.Error()))
	}
	return &namedError{text: text, err: err}
}

// codesOf returns the codes of Windows in an error and in what it wraps, each once. Those that Go has made up, which the
// application bit marks, say nothing to anybody (syscall.APPLICATION_ERROR).
func codesOf(err error) []windows.Errno {
	const madeUp = 1 << 29
	var found []windows.Errno
	seen := map[string]bool{}
	var visit func(error)
	visit = func(err error) {
		switch wrapping := err.(type) { //nolint:errorlint // this is what walks the chain
		case windows.Errno:
			if wrapping&madeUp == 0 && !seen[wrapping.Error()] {
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

// Is tells whether an error is one of some codes.
func Is(err error, codes ...windows.Errno) bool {
	for _, code := range codes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
