package main

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// listed names some of many, for a message.
func listed(names []string) string {
	const most = 10
	return terminal.Names(names, most)
}

// oneOf joins alternatives: "wide, json or yaml".
func oneOf(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
