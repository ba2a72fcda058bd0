package poll

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// Line sums up requests while they are waited for, in one line.
func Line(style terminal.Style, all []Progress) string {
	const columns = 10
	nodes, answered, done := 0, 0, 0
	for _, p := range all {
		nodes, answered = nodes+p.Nodes, answered+p.Answered
		if p.Done() {
			done++
		}
	}
	text := fmt.Sprintf("%s %d of %s answered", style.Bar(answered, nodes, columns), answered, terminal.Count(nodes, "node"))
	if len(all) == 1 {
		return all[0].Certificate + "  " + text
	}
	return fmt.Sprintf("%d of %s  %s", done, terminal.Count(len(all), "certificate"), text)
}

// Text says what became of a request: when it is done, or else at the end of the time. most is how many nodes it names, 0 for all.
func (p Progress) Text(style terminal.Style, waited time.Duration, most int) string {
	switch {
	case p.Gone:
		return p.bad(style, "the certificate was deleted")
	case p.Suspended:
		return p.bad(style, "the certificate was suspended meanwhile, so no node polls it")
	case p.Nodes == 0:
		return p.bad(style, "no node is selected, so none answered; 'kubectl vaultpane status "+p.Certificate+"' says why")
	}
	var text strings.Builder
	count := fmt.Sprintf("%d of %s answered", p.Answered, terminal.Count(p.Nodes, "node"))
	switch {
	case p.Succeeded():
		return style.Signed(terminal.Good, "    ", p.Certificate+": "+count+p.versions())
	case p.Done():
		text.WriteString(p.bad(style, count+fmt.Sprintf(", %d with a failure", len(p.Failures))))
	default:
		text.WriteString(p.bad(style, fmt.Sprintf("%s within %s", count, terminal.Duration(waited))))
	}
	for _, reason := range reasonsOf(p.Failures) {
		text.WriteString(reasonText(style, string(reason)+" on ", p.Failures, reason, most))
	}
	lost := withReason(p.Silent, v1alpha1.ReasonAgentNotReporting)
	var silent []string
	for _, node := range p.Silent {
		if !slices.Contains(lost, node.Node) {
			silent = append(silent, node.Node)
		}
	}
	if len(silent) > 0 {
		text.WriteString(style.Wrap("  no answer from ", "    ", terminal.Names(silent, most)))
	}
	if len(lost) > 0 {
		text.WriteString(reasonText(style, "the agent does not report on ", p.Silent, v1alpha1.ReasonAgentNotReporting, most))
	}
	if p.Unreported > 0 {
		text.WriteString(style.Wrap("  ", "    ", terminal.Count(p.Unreported, "selected node")+" without a report of the certificate"))
	}
	return text.String()
}

func (p Progress) bad(style terminal.Style, text string) string {
	return style.Signed(terminal.Bad, "    ", p.Certificate+": "+text)
}

// versions says which versions the nodes have.
func (p Progress) versions() string {
	versions := slices.SortedFunc(maps.Keys(p.Versions), func(a, b string) int { return p.Versions[b] - p.Versions[a] })
	if len(versions) == 1 {
		return ", version " + terminal.ShortVersion(versions[0])
	}
	var parts []string
	for _, version := range versions {
		parts = append(parts, fmt.Sprintf("version %s on %d", terminal.ShortVersion(version), p.Versions[version]))
	}
	return strings.Join(append([]string{""}, parts...), ", ")
}

// reasonText names the nodes with a reason, with the message of the first.
func reasonText(style terminal.Style, begin string, all []v1alpha1.NodeFailure, reason v1alpha1.Reason, most int) string {
	text := style.Wrap("  "+begin, "    ", terminal.Names(withReason(all, reason), most))
	for _, failure := range all {
		if failure.Reason == reason && failure.Message != "" {
			return text + style.Wrap("    "+failure.Node+": ", "      ", failure.Message)
		}
	}
	return text
}

// reasonsOf returns each reason once, the most frequent first.
func reasonsOf(failures []v1alpha1.NodeFailure) []v1alpha1.Reason {
	counts := map[v1alpha1.Reason]int{}
	for _, failure := range failures {
		counts[failure.Reason]++
	}
	return slices.SortedFunc(maps.Keys(counts), func(a, b v1alpha1.Reason) int {
		if counts[a] != counts[b] {
			return counts[b] - counts[a]
		}
		return strings.Compare(string(a), string(b))
	})
}

func withReason(failures []v1alpha1.NodeFailure, reason v1alpha1.Reason) []string {
	var nodes []string
	for _, failure := range failures {
		if failure.Reason == reason {
			nodes = append(nodes, failure.Node)
		}
	}
	return nodes
}
