package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Text returns the certificates with their nodes for a person: what is wrong first, nodes with nothing to report in one line. wide
// lists every node, with its message.
func (d Details) Text(style terminal.Style, wide bool, now time.Time) string {
	var parts []string
	for _, detail := range d.Certificates {
		parts = append(parts, detail.text(style, wide, now))
	}
	return strings.Join(parts, "\n")
}

func (d Detail) text(style terminal.Style, wide bool, now time.Time) string {
	var text strings.Builder
	text.WriteString(d.head(style, now))
	for _, group := range groupsOf(d.Entries) {
		if group[0].level == terminal.Good && !wide {
			continue
		}
		text.WriteString("\n" + nodesText(style, group, wide, now))
	}
	text.WriteString("\n" + style.Wrap("", "", d.closing()))
	return text.String()
}

func (d Detail) sourceLabel() string {
	if strings.HasPrefix(d.URL, "configmap/") {
		return "  From:     "
	}
	return "  Secret:   "
}

// head is what the ObservedCertificate says.
func (d Detail) head(style terminal.Style, now time.Time) string {
	level := d.level()
	title := style.Sign(level) + " " + d.Name + ": " + d.stateName()
	text := style.Paint(level, title)
	if since := ago(d.Since, now); since != "" {
		text += " since " + since
	}
	text = strings.Join(append([]string{text}, d.remarks()...), ", ") + "\n"
	text += style.Wrap(d.sourceLabel(), "    ", d.URL+", into "+d.Store)
	if d.Thumbprint != "" {
		version := fmt.Sprintf("%s, thumbprint %s, expires %s (%s)", terminal.ShortVersion(d.Version), d.Thumbprint, until(d.NotAfter, now), timestamp(d.NotAfter))
		text += style.Wrap("  Version:  ", "    ", version)
	}
	if d.LatestVersion != "" && d.LatestVersion != d.Version {
		text += style.Wrap("  In vault: ", "    ", terminal.ShortVersion(d.LatestVersion)+", which no node has yet")
	}
	if d.RollbackFrom != "" {
		text += style.Wrap("  Rolled back: ", "    ", "from version "+terminal.ShortVersion(d.RollbackFrom)+", which is disabled in the vault or has expired")
	}
	if d.VersionWatch != "" {
		text += style.Wrap("  Not watched: ", "    ", d.VersionWatch)
	}
	if d.Rollout != nil {
		text += style.Wrap("  Waves:    ", "    ", d.Rollout.text())
	}
	text += style.Wrap("  Nodes:    ", "    ", fmt.Sprintf("%s installed, %d failed, %d pending", d.nodes(style), d.Nodes.Failed, d.Nodes.Pending))
	for i, use := range d.Uses {
		title := map[bool]string{true: "  Used by:  ", false: "            "}[i == 0]
		text += style.Wrap(title, "    ", fmt.Sprintf("%s: bound on %d, pending on %d, failed on %d", truncate.Line(use.Name, maxLine), use.Bound, use.Pending, use.Failed))
	}
	if d.Message != "" {
		text += style.Wrap("  Ready:    ", "    ", d.Message)
	}
	for _, problem := range d.Problems {
		for _, affected := range problem.Certificates {
			if affected.Condition != v1alpha1.ConditionReady || len(d.Entries) == 0 {
				text += "\n" + problem.text(style, true)
			}
		}
	}
	return text
}

// text says which wave has started, and what the next one waits for.
func (r Rollout) text() string {
	return fmt.Sprintf("%s: %s", r.Reason, r.Message)
}

// closing counts the nodes without anything to report, and those without a report.
func (d Detail) closing() string {
	good := 0
	for _, entry := range d.Entries {
		if entry.level == terminal.Good {
			good++
		}
	}
	text := fmt.Sprintf("%s: %s with nothing to report", d.Name, terminal.Count(good, "node"))
	if listed := len(d.Entries) - good; listed > 0 {
		text += fmt.Sprintf(", %d listed above", listed)
	}
	if d.Unreported > 0 {
		text += fmt.Sprintf(", %d without a report yet ('kubectl vaultpane doctor' names them)", d.Unreported)
	}
	text += "."
	if slices.ContainsFunc(d.Entries, func(e Entry) bool { return e.Reason == v1alpha1.ReasonSuperseded }) {
		text += fmt.Sprintf(" 'kubectl vaultpane poll %s --wait' has the nodes ask for the newest version now.", d.Name)
	}
	return text
}

// groupsOf splits entries, which are in order, where level, state or reason changes.
func groupsOf(entries []Entry) [][]Entry {
	var groups [][]Entry
	for i, entry := range entries {
		if i == 0 || entry.Reason != entries[i-1].Reason || entry.State != entries[i-1].State || entry.level != entries[i-1].level {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], entry)
	}
	return groups
}

// nodesText lists nodes of the same state and reason. Their messages mostly differ in the node's name or identity alone, so one is
// shown where it is not wide.
func nodesText(style terminal.Style, group []Entry, wide bool, now time.Time) string {
	first := group[0]
	info := first.Reason.Info()
	title := fmt.Sprintf("%s on %s", first.State, terminal.Count(len(group), "node"))
	if first.Reason != "" {
		title = fmt.Sprintf("%s (%s) on %s", info.Reason, first.State, terminal.Count(len(group), "node"))
	} else {
		info.Meaning, info.Action = "The certificate is in the store as the spec asks for it.", ""
	}
	text := heading(style, first.level, title, info.Meaning, info.Action)
	shown := group
	if !wide && len(shown) > maxNodes {
		shown = shown[:maxNodes]
	}
	text += indented(entryTable(narrowed(style), withoutTitle(shown, wide), wide, now))
	if more := len(group) - len(shown); more > 0 {
		text += fmt.Sprintf("  and %s; -o wide lists all\n", terminal.Count(more, "more node"))
	}
	if !wide && first.Message != "" {
		text += style.Wrap("  "+first.Node+": ", "    ", first.Message)
	}
	return text
}

// indent is that of a table below a heading.
const indent = "  "

// narrowed is a style for what is indented.
func narrowed(style terminal.Style) terminal.Style {
	if style.Width > 0 {
		style.Width = max(1, style.Width-len(indent))
	}
	return style
}

// withoutTitle leaves out what the heading of a group says, where it is not wide.
func withoutTitle(group []Entry, wide bool) []Entry {
	if wide {
		return group
	}
	shown := slices.Clone(group)
	for i := range shown {
		shown[i].State, shown[i].Reason = "", ""
	}
	return shown
}

func indented(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		lines.WriteString(indent + line)
	}
	return lines.String()
}
