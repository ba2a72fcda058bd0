package doctor

import (
	"cmp"
	"slices"
)

// Level says how much a finding matters.
type Level string

// Levels, the worst last.
const (
	// OK: a check found nothing wrong.
	OK Level = "ok"
	// Note: worth knowing, nothing to do.
	Note Level = "note"
	// Warning: it works now, and something may not later, or could not be checked.
	Warning Level = "warning"
	// Problem: something does not work.
	Problem Level = "problem"
)

// Finding is one result of a check.
type Finding struct {
	// Check is the name of the check.
	Check string `json:"check"`
	// Level says how much it matters.
	Level Level `json:"level"`
	// Text says what is wrong, and where.
	Text string `json:"text"`
	// Remedy says what to do; empty if there is nothing to do.
	Remedy string `json:"remedy,omitempty"`
	// Command is a command that does it, or that shows more; empty if there is none.
	Command string `json:"command,omitempty"`
}

// levels in the order of a report.
var levels = []Level{Problem, Warning, Note, OK}

// Worst returns the worst level of findings, OK for none.
func Worst(findings []Finding) Level {
	worst := OK
	for _, finding := range findings {
		if slices.Index(levels, finding.Level) < slices.Index(levels, worst) {
			worst = finding.Level
		}
	}
	return worst
}

// inOrder sorts findings, the worst first, and else keeps their order.
func inOrder(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level))
	})
	return findings
}
