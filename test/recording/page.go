package main

import (
	"errors"
	"os"
	"regexp"
	"strings"
)

// Lines of the page between which the session stands.
const (
	begin = "<!-- The session: recorded by make generate. -->\n"
	end   = "<!-- End of the session. -->\n"
)

var escape = regexp.MustCompile("\x1b\\[[0-9;]*m")

// text is the session without colours.
func text(session []step) string {
	var out strings.Builder
	for i, one := range session {
		if i > 0 {
			out.WriteString("\n")
		}
		out.WriteString("$ " + one.command + "\n" + strings.TrimRight(escape.ReplaceAllString(one.output, ""), "\n") + "\n")
	}
	return out.String()
}

// writePage puts the session into the page.
func writePage(path string, session []step) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(content), begin)
	_, after, ends := strings.Cut(rest, end)
	if !found || !ends {
		return errors.New(path + " lacks the lines around the session")
	}
	lines := strings.Split(text(session), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return os.WriteFile(path, []byte(before+begin+"\n```console\n"+strings.Join(lines, "\n")+"```\n\n"+end+after), 0o644)
}
