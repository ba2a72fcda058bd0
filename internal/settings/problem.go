package settings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Problem is something wrong in a file.
type Problem struct {
	// File is the path of the file.
	File string
	// Line is the line, from 1; 0 for the file as a whole.
	Line int
	// Field is the path of the value in the words of the file; empty if the problem is not in one value.
	Field string
	// Value is the value, quoted and at most 80 characters long; empty if there is none, or if it may hold a secret.
	Value string
	// Text says what is wrong and what to do.
	Text string
	// Other is the file that this one contradicts, empty for none.
	Other string
}

// Error is the whole message, such as
//
//	settings.json:12: observedCertificates[0].url is "http://x": must begin with https:// (in lower case), as in https://...
func (p Problem) Error() string {
	place, field := p.File, p.Field
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d", place, p.Line)
	}
	switch {
	case field == "":
		return place + ": " + p.Text
	case p.Value == "":
		return place + ": " + field + " " + p.Text
	default:
		return place + ": " + field + " is " + p.Value + ": " + p.Text
	}
}

// Lines returns the problems of an error, a line each: those of a Problems, else the error itself.
func Lines(err error) []string {
	var problems Problems
	if !errors.As(err, &problems) {
		return []string{truncate.Line(err.Error(), 4096)}
	}
	var lines []string
	for _, problem := range problems[:min(len(problems), mostShown)] {
		lines = append(lines, truncate.Line(problem.Error(), 4096))
	}
	if rest := len(problems) - len(lines); rest > 0 {
		lines = append(lines, fmt.Sprintf("and %d more problems", rest))
	}
	return lines
}

// Problems are all problems of files, as an error.
type Problems []Problem

// mostShown is how many problems a message has.
const mostShown = 100

// Error has one problem a line, at most 100.
func (p Problems) Error() string { return strings.Join(Lines(p), "\n") }

func of(file string, p document.Problem) Problem {
	return Problem{File: file, Line: p.Line, Field: p.Field, Value: p.Value, Text: p.Text}
}
