package status

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// NodeView is the certificates of one node, as its agent reported them.
type NodeView struct {
	// Node is the node's name, AgentVersion the version of its agent.
	Node         string `json:"node"`
	AgentVersion string `json:"agentVersion,omitempty"`
	// Entries are the certificates, those with problems first.
	Entries []Entry `json:"entries"`
	// Missing are the named certificates that the node has not reported.
	Missing []string `json:"missing,omitempty"`
	// Omitted is how many certificates the agent left out because its report would have become too large.
	Omitted int `json:"omitted,omitempty"`
	// Failing is the number of entries where something is wrong.
	FailingEntries int `json:"failing"`
}

// NewNodeView computes the view from one report. certificates are the named ones, without which all are shown as they were reported.
func NewNodeView(node string, reported Reported, certificates []v1alpha1.ObservedCertificate, now time.Time) NodeView {
	view := NodeView{Node: node, AgentVersion: reported.AgentVersion, Omitted: reported.Omitted, Entries: []Entry{}}
	add := func(name string, c *v1alpha1.ObservedCertificate) {
		entry, found := reported.Certificates[name]
		if !found {
			view.Missing = append(view.Missing, name)
			return
		}
		e := entryOf(entry, c, now)
		e.Certificate = name
		if e.fails() {
			view.FailingEntries++
		}
		view.Entries = append(view.Entries, e)
	}
	for i := range certificates {
		add(certificates[i].Name, &certificates[i])
	}
	if len(certificates) == 0 {
		for name := range reported.Certificates {
			add(name, nil)
		}
	}
	slices.SortFunc(view.Entries, byNeed)
	return view
}

// Failing reports whether the node has a failure.
func (v NodeView) Failing() bool { return v.FailingEntries > 0 }

// Text returns the node's certificates for a person: a line each, then what is wrong and what to do.
func (v NodeView) Text(style terminal.Style, wide bool, now time.Time) string {
	var text strings.Builder
	text.WriteString(entryTable(style, v.Entries, wide, now))
	for _, group := range groupsOf(v.Entries) {
		if group[0].Reason != "" {
			text.WriteString("\n" + certificatesText(style, group, wide))
		}
	}
	if len(v.Entries) > 0 {
		text.WriteString("\n")
	}
	text.WriteString(style.Wrap("", "", v.closing()))
	return text.String()
}

// certificatesText explains a reason that certificates of a node have.
func certificatesText(style terminal.Style, group []Entry, wide bool) string {
	info := group[0].Reason.Info()
	text := heading(style, group[0].level, string(group[0].Reason), info.Meaning, info.Action)
	for i, e := range group {
		if i == maxAffected && !wide {
			return text + fmt.Sprintf("  and %s; -o wide has every message\n", terminal.Count(len(group)-i, "more certificate"))
		}
		if e.Message != "" {
			text += style.Wrap("  "+e.Certificate+": ", "    ", e.Message)
		}
	}
	return text
}

func (v NodeView) closing() string {
	text := fmt.Sprintf("%s: %s, %d failing, as agent %s reported them; 'kubectl vaultpane doctor --node %s' says whether it still reports.",
		v.Node, terminal.Count(len(v.Entries), "certificate"), v.FailingEntries, v.AgentVersion, v.Node)
	if len(v.Missing) > 0 {
		text += fmt.Sprintf(" The agent has not reported %s: not selected for this node, or not processed yet.", terminal.Names(v.Missing, maxNames))
	}
	if v.Omitted > 0 {
		text += fmt.Sprintf(" The report omits %s because of its size.", terminal.Count(v.Omitted, "certificate"))
	}
	return text
}
