package settings

import (
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
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
}

// Error is the whole message, such as
//
//	settings.json:12: observedCertificates[0].url is "http://x": must begin with https:// (in lower case), as in https://...
func (p Problem) Error() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	switch {
	case p.Field == "":
		return place + ": " + p.Text
	case p.Value == "":
		return place + ": " + p.Field + " " + p.Text
	default:
		return place + ": " + p.Field + " is " + p.Value + ": " + p.Text
	}
}

// Problems are all problems of files, as an error.
type Problems []Problem

// mostShown is how many problems a message has.
const mostShown = 100

// Error has one problem a line, at most 100.
func (p Problems) Error() string {
	var lines []string
	for _, problem := range p[:min(len(p), mostShown)] {
		lines = append(lines, problem.Error())
	}
	if rest := len(p) - len(lines); rest > 0 {
		lines = append(lines, fmt.Sprintf("and %d more problems", rest))
	}
	return strings.Join(lines, "\n")
}

func of(file string, p document.Problem) Problem {
	return Problem{File: file, Line: p.Line, Field: p.Field, Value: p.Value, Text: p.Text}
}
