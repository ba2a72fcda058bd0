package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// Limits of what is listed where it is not wide.
const (
	maxAffected = 3  // certificates of one problem with their message; the others by name
	maxNodes    = 10 // nodes of one reason
	maxNames    = 20
)

// barColumns is how long the bar of a roll-out is.
const barColumns = 10

// Text returns the overview for a person: a line for each certificate, what is wrong and what to do, and a summary. wide adds
// columns and leaves nothing out.
func (o Overview) Text(style terminal.Style, wide bool, now time.Time) string {
	if len(o.Certificates) == 0 {
		return style.Wrap("", "", "There is no ObservedCertificate in this cluster. 'kubectl vaultpane convert' makes them from settings of the Key Vault VM extension.")
	}
	var text strings.Builder
	text.WriteString(o.table(style, wide, now))
	for _, problem := range o.Problems {
		text.WriteString("\n" + problem.text(style, wide))
	}
	text.WriteString("\n" + style.Wrap("", "", o.Summary.line(now)))
	return text.String()
}

// table has a line for each certificate.
func (o Overview) table(style terminal.Style, wide bool, now time.Time) string {
	columns := []terminal.Column{
		{Title: ""}, {Title: "CERTIFICATE", Min: 12}, {Title: "NODES"}, {Title: "STATE", Min: 14},
		{Title: "SINCE", Drop: 1}, {Title: "EXPIRES"},
	}
	if wide {
		columns = append(columns, terminal.Column{Title: "VERSION"}, terminal.Column{Title: "LATEST"}, terminal.Column{Title: "NOT AFTER"}, terminal.Column{Title: "THUMBPRINT"}, terminal.Column{Title: "STORE"}, terminal.Column{Title: "URL"})
	}
	var rows [][]terminal.Cell
	for _, c := range o.Certificates {
		level := c.level()
		row := []terminal.Cell{
			{Text: style.Sign(level), Level: level}, {Text: c.Name}, {Text: c.nodes(style)}, {Text: c.stateText(), Level: level},
			{Text: ago(c.Since, now)}, {Text: until(c.NotAfter, now), Level: expiryLevel(c)},
		}
		if wide {
			row = append(row, plain(c.Version, c.LatestVersion, timestamp(c.NotAfter), c.Thumbprint, c.Store, c.URL)...)
		}
		rows = append(rows, row)
	}
	return style.Table(columns, rows)
}

// nodes counts the nodes, with a bar while some are missing.
func (c Certificate) nodes(style terminal.Style) string {
	installed, matched := int(c.Nodes.Installed), int(c.Nodes.Matched)
	count := fmt.Sprintf("%d/%d", installed, matched)
	if installed == matched {
		return count
	}
	columns := barColumns
	if style.Width > 0 && style.Width < 80 {
		columns /= 2
	}
	return style.Bar(installed, matched, columns) + " " + count
}

// stateText is the state with the warnings.
func (c Certificate) stateText() string {
	return strings.Join(append([]string{c.stateName()}, c.remarks()...), ", ")
}

// stateName names a state, a failure by its reason, and a roll-out with the version.
func (c Certificate) stateName() string {
	switch c.State {
	case StateFailed:
		return string(c.Reason)
	case StateRollingOut:
		return strings.TrimSpace(string(c.State) + " " + terminal.ShortVersion(c.Version))
	case StateInstalled, StateSuspended, StateNoNodes, StateUnprocessed:
	}
	return string(c.State)
}

// remarks are what is to be said beside the state.
func (c Certificate) remarks() []string {
	remarks := slices.DeleteFunc(slices.Clone(c.Warnings), func(warning string) bool { return warning == c.stateName() })
	if c.Suspended && c.stateName() != string(StateSuspended) {
		remarks = append(remarks, string(StateSuspended))
	}
	return remarks
}

func expiryLevel(c Certificate) terminal.Level {
	if c.warns(v1alpha1.ConditionExpiringSoon) {
		return terminal.Warning
	}
	return terminal.Plain
}

// text explains a problem: what it means, what to do, and where.
func (p Problem) text(style terminal.Style, wide bool) string {
	var text strings.Builder
	text.WriteString(heading(style, p.level, string(p.Reason), p.Meaning, p.Action))
	shown := p.Certificates
	if !wide && len(shown) > maxAffected {
		shown = shown[:maxAffected]
	}
	for _, affected := range shown {
		text.WriteString(style.Wrap("  "+affected.Name+": ", "    ", affected.Message))
		if affected.Condition == v1alpha1.ConditionReady { // the other conditions' messages name the nodes
			text.WriteString(affected.nodes(style))
		}
	}
	var others []string
	for _, affected := range p.Certificates[len(shown):] {
		others = append(others, affected.Name)
	}
	if len(others) > 0 {
		text.WriteString(style.Wrap("  also ", "    ", terminal.Names(others, maxNames)))
	}
	return text.String()
}

// nodes has the message of the first node, and the names of the others.
func (a Affected) nodes(style terminal.Style) string {
	if len(a.Nodes) == 0 {
		return ""
	}
	text := style.Wrap("    "+a.Nodes[0].Node+": ", "      ", a.Nodes[0].Message)
	var others []string
	for _, node := range a.Nodes[1:] {
		others = append(others, node.Node)
	}
	if len(others) > 0 {
		text += style.Wrap("    also on ", "      ", strings.Join(others, ", "))
	}
	return text
}

// heading says what a reason means, and what to do.
func heading(style terminal.Style, level terminal.Level, reason, meaning, action string) string {
	sign := style.Sign(level)
	first := style.Wrap(sign+" "+reason+": ", "  ", meaning)
	text := style.Paint(level, sign+" "+reason) + first[len(sign+" "+reason):]
	if action != "" {
		text += style.Wrap("  What to do: ", "    ", action)
	}
	return text
}

func plain(texts ...string) []terminal.Cell {
	var cells []terminal.Cell
	for _, text := range texts {
		cells = append(cells, terminal.Cell{Text: text})
	}
	return cells
}
