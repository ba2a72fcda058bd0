// Package terminal is where the commands of kubectl vaultpane read and print: its width, and whether colours are wanted.
package terminal

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Streams are a command's input and output.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Width is how many columns Out has, 0 if it is not a terminal: then nothing is cut.
	Width int
	// Color reports whether Out takes colours: it is a terminal, NO_COLOR (https://no-color.org) is empty and TERM is not dumb.
	Color bool
}

// Standard returns the process's streams. COLUMNS overrides the width, also of a pipe.
func Standard() Streams {
	streams := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	if out := int(os.Stdout.Fd()); term.IsTerminal(out) {
		streams.Width, _, _ = term.GetSize(out)
		streams.Color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	}
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		streams.Width = columns
	}
	return streams
}
