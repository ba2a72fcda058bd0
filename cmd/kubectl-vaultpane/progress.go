package main

import (
	"io"
	"time"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// printAfter is the least time between two lines of progress where they cannot be drawn over each other.
const printAfter = 10 * time.Second

// clearLine moves the cursor to the beginning of the line and clears it (ECMA-48, EL).
const clearLine = "\r\x1b[K"

// progressLine shows one line of progress, over the last one on a terminal.
type progressLine struct {
	streams terminal.Streams
	last    string
	printed time.Time
}

// show shows a line. Elsewhere than on a terminal it prints only what changed, and not often.
func (l *progressLine) show(line string, now time.Time) error {
	if l.streams.Terminal {
		if width := l.streams.Width; width > 0 && len([]rune(line)) >= width {
			line = string([]rune(line)[:max(0, width-1)]) // a line that wraps could not be drawn over
		}
		l.last = line
		_, err := io.WriteString(l.streams.Out, clearLine+line)
		return err
	}
	if line == l.last || now.Sub(l.printed) < printAfter {
		return nil
	}
	l.last, l.printed = line, now
	_, err := io.WriteString(l.streams.Out, line+"\n")
	return err
}

// result prints lines that stay.
func (l *progressLine) result(text string) error {
	if l.streams.Terminal && l.last != "" {
		text = clearLine + text
	}
	l.last = ""
	_, err := io.WriteString(l.streams.Out, text)
	return err
}

// end leaves the line as it is, and what follows goes below it.
func (l *progressLine) end() error {
	if !l.streams.Terminal || l.last == "" {
		return nil
	}
	_, err := io.WriteString(l.streams.Out, "\n")
	return err
}
