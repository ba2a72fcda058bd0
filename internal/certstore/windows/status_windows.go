package windows

import (
	"errors"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// errUnsupported is wrapped by what this machine, or this kind of provider, can never do.
var errUnsupported = errors.New("not supported")

// failure puts an error into the interface's words. The windows.Errno stays in the chain.
func failure(operation string, ref certstore.Ref, err error) error {
	if err == nil {
		return nil
	}
	return &certstore.Error{
		Operation: operation, Ref: ref, Err: named(err),
		Denied:      is(err, windows.ERROR_ACCESS_DENIED, windows.Errno(windows.NTE_PERM)),
		Unsupported: errors.Is(err, errUnsupported),
	}
}

// namedError is an error in which every code of Windows has its number and its name.
type namedError struct {
	text string
	err  error
}

func (e *namedError) Error() string { return e.text }

func (e *namedError) Unwrap() error { return e.err }

// named puts number, name and text where an error has the system's text, or no text, for a code of Windows.
func named(err error) error {
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

// is tells whether an error is one of some codes.
func is(err error, codes ...windows.Errno) bool {
	for _, code := range codes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
