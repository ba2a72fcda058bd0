// Package terminal is where the commands of kubectl vaultpane read and print: its width, whether colours and characters beyond ASCII
// are wanted, and the tables, bars and wrapped text that fit into it.
package terminal

import (
	"io"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/term"
)

// Streams are a command's input and output.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Width is how many columns Out has, 0 if it is not a terminal: then nothing is cut.
	Width int
	// ErrWidth is how many columns Err has, 0 if it is not a terminal.
	ErrWidth int
	// Color reports whether Out takes colours: it is a terminal, NO_COLOR (https://no-color.org) is empty and TERM is not dumb; or
	// CLICOLOR_FORCE (https://bixense.com/clicolors) is set.
	Color bool
	// Terminal reports whether Out is a terminal that can be cleared and drawn again.
	Terminal bool
	// UTF8 reports whether Out shows characters beyond ASCII.
	UTF8 bool
}

// Standard returns the process's streams. COLUMNS overrides the width, also of a pipe.
func Standard() Streams {
	streams := Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}
	out := int(os.Stdout.Fd())
	terminal := term.IsTerminal(out)
	if terminal {
		streams.Width, _, _ = term.GetSize(out)
		streams.Terminal = os.Getenv("TERM") != "dumb" && takesSequences(os.Stdout)
		streams.Color = streams.Terminal && os.Getenv("NO_COLOR") == ""
	}
	if force := os.Getenv("CLICOLOR_FORCE"); force != "" && force != "0" {
		streams.Color = true
	}
	streams.ErrWidth, _, _ = term.GetSize(int(os.Stderr.Fd())) // 0 where it is none
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		streams.Width, streams.ErrWidth = columns, columns
	}
	streams.UTF8 = showsUTF8(runtime.GOOS, terminal, os.Getenv)
	return streams
}

// Style returns how to print on Out.
func (s Streams) Style() Style {
	return Style{Width: s.Width, Color: s.Color, UTF8: s.UTF8}
}
