package main

import (
	"fmt"
	"html"
	"math"
	"regexp"
	"strings"
)

// Measures of the picture, in pixels.
const (
	columns    = 104
	charWidth  = 8.4
	lineHeight = 19
	margin     = 20
)

// colors are those of the terminal, by their codes.
var colors = map[string]string{"31": "#ff7b72", "32": "#7ee787", "33": "#e3b341", "36": "#79c0ff", "2": "#8b949e", "1": "#f0f6fc"}

// picture draws the session as a terminal window with a background of its own, so that it is legible on light and dark pages.
func picture(session []step) string {
	var lines []string
	for _, one := range session {
		if !one.pictured {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, "\x1b[1m$ "+one.command+"\x1b[0m")
		lines = append(lines, strings.Split(strings.TrimRight(one.output, "\n"), "\n")...)
	}
	width := int(math.Ceil(columns*charWidth)) + 2*margin
	height := len(lines)*lineHeight + 2*margin + lineHeight
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="A terminal session with kubectl vaultpane">`+"\n", width, height, width, height)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" rx="8" fill="#0d1117" stroke="#30363d"/>`+"\n", width, height)
	for i, color := range []string{"#ff5f57", "#febc2e", "#28c840"} {
		fmt.Fprintf(&out, `<circle cx="%d" cy="18" r="6" fill="%s"/>`+"\n", margin+6+i*20, color)
	}
	fmt.Fprintln(&out, `<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" fill="#c9d1d9" xml:space="preserve">`)
	for i, line := range lines {
		if line != "" {
			fmt.Fprintf(&out, `<text x="%d" y="%d">%s</text>`+"\n", margin, margin+(i+2)*lineHeight-5, spans(line))
		}
	}
	fmt.Fprintln(&out, "</g>\n</svg>")
	return out.String()
}

var sequence = regexp.MustCompile("\x1b\\[([0-9;]*)m")

// spans turns the colours of a line into those of the picture.
func spans(line string) string {
	var out strings.Builder
	open := false
	at := 0
	for _, found := range sequence.FindAllStringSubmatchIndex(line, -1) {
		out.WriteString(html.EscapeString(line[at:found[0]]))
		at = found[1]
		if open {
			out.WriteString("</tspan>")
			open = false
		}
		if color := colors[line[found[2]:found[3]]]; color != "" {
			fmt.Fprintf(&out, `<tspan fill="%s">`, color)
			open = true
		}
	}
	out.WriteString(html.EscapeString(line[at:]))
	if open {
		out.WriteString("</tspan>")
	}
	return out.String()
}
