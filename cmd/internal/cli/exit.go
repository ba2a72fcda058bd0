package cli

import (
	"errors"
	"fmt"
	"io"
)

// ExitStatus is the error of a command that ends with this exit code and has printed everything.
type ExitStatus int

func (e ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Failure is the error of a command that ends with this exit code, and whose error is to be printed.
type Failure struct {
	Code int
	Err  error
}

func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Err }

// ExitCode returns the exit code of a program for the error of its command: 0 for none, 1 where the error names no other. It prints
// the error to stderr, after the program's name, unless it is an ExitStatus.
func ExitCode(program string, err error, stderr io.Writer) int {
	var status ExitStatus
	var failure *Failure
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	_, _ = fmt.Fprintf(stderr, "%s: %v\n", program, err)
	if errors.As(err, &failure) {
		return failure.Code
	}
	return 1
}
