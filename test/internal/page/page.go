// Package page writes what a run has measured into a page of the documentation.
package page

import (
	"os/exec"
	"strings"
)

// Between replaces what stands between two marks of a text. It reports whether the text has both.
func Between(text, begin, end, content string) (string, bool) {
	before, rest, begins := strings.Cut(text, begin)
	_, after, ends := strings.Cut(rest, end)
	return before + begin + content + end + after, begins && ends
}

// Commit describes the commit of the working directory, "unknown" where git cannot tell.
func Commit() string {
	output, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(output))
}
