package doctor

import (
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// looks are the levels as the terminal shows them.
var looks = map[Level]terminal.Level{OK: terminal.Good, Note: terminal.Plain, Warning: terminal.Warning, Problem: terminal.Bad}

// sign returns the level's sign. A note has one too, so that the columns are the same.
func sign(style terminal.Style, level Level) string {
	if level == Note {
		return "-"
	}
	return style.Sign(looks[level])
}

// Title says what was looked at.
func (s *Snapshot) Title() string {
	title := "Vaultpane in namespace " + s.Namespace
	if s.Node != "" {
		title += ", node " + s.Node
	}
	if s.Kubernetes.GitVersion != "" {
		title += ", Kubernetes " + s.Kubernetes.GitVersion
	}
	if version := s.ControllerVersion(); version != "" {
		title += ", controller " + version
	}
	if version := s.AgentVersion(); version != "" && !installation.SameVersion(version, s.ControllerVersion()) {
		title += ", agents " + version
	}
	return title
}

// Text returns findings as text, in their order.
func Text(title string, findings []Finding, style terminal.Style) string {
	var text strings.Builder
	text.WriteString(style.Wrap("", "  ", title))
	text.WriteString("\n")
	const indent = "             "
	for _, found := range findings {
		look := looks[found.Level]
		head := fmt.Sprintf("%s %-7s", sign(style, found.Level), found.Level)
		body := style.Wrap(head+"    ", indent, found.Check+": "+found.Text)
		text.WriteString(style.Paint(look, head) + strings.TrimPrefix(body, head))
		if found.Remedy != "" {
			text.WriteString(style.Wrap(indent, indent, found.Remedy))
		}
		if found.Command != "" {
			text.WriteString(indent + "$ " + found.Command + "\n") // in one line, to be copied
		}
	}
	text.WriteString("\n" + Summary(findings) + "\n")
	return text.String()
}

// Summary counts findings by level.
func Summary(findings []Finding) string {
	counts := map[Level]int{}
	for _, found := range findings {
		counts[found.Level]++
	}
	return fmt.Sprintf("%s, %s, %s; %s found nothing wrong", terminal.Count(counts[Problem], "problem"), terminal.Count(counts[Warning], "warning"),
		terminal.Count(counts[Note], "note"), terminal.Count(counts[OK], "check"))
}
