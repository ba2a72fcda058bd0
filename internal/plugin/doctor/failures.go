package doctor

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/nodestate"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// failureGroup is what has the same reason, and is installed in spite of it or not.
type failureGroup struct {
	reason       v1alpha1.Reason
	installed    bool
	certificates map[string]bool
	nodes        map[string]bool
	example      string // of the first node
}

// groupKey keeps groups apart.
type groupKey struct {
	reason    v1alpha1.Reason
	installed bool
}

func keyOf(entry *v1alpha1.CertificateEntry) groupKey {
	return groupKey{entry.Reason, entry.State == v1alpha1.StateInstalled}
}

// findFailures groups what nodes report by reason.
func findFailures(s *Snapshot) []Finding {
	groups, order := map[groupKey]*failureGroup{}, []groupKey{}
	for _, report := range s.Reports {
		for _, entry := range report.Entries {
			if !nodestate.Fails(&entry) && entry.Reason != v1alpha1.ReasonLinkDeclined && entry.Reason != v1alpha1.ReasonUseFailed {
				continue
			}
			key := keyOf(&entry)
			if groups[key] == nil {
				groups[key] = &failureGroup{reason: key.reason, installed: key.installed, certificates: map[string]bool{}, nodes: map[string]bool{},
					example: fmt.Sprintf("%s on %s: %s", entry.Name, report.Name, entry.Message)}
				order = append(order, key)
			}
			groups[key].certificates[entry.Name], groups[key].nodes[report.Name] = true, true
		}
	}
	var findings []Finding
	for _, key := range order {
		findings = append(findings, groups[key].finding())
	}
	return findings
}

func (g *failureGroup) finding() Finding {
	names := slices.Sorted(maps.Keys(g.certificates))
	what := "fails"
	if g.installed {
		what = "polls fail where it is installed"
	}
	if g.reason.Class() == v1alpha1.ClassNone {
		what = "is installed"
	}
	found := finding(g.level(), "%s: %s of %s on %s (%s)", g.reason, what, list(names), terminal.Count(len(g.nodes), "node"), g.example)
	return found.do(g.reason.Info().Action, "kubectl describe obscert "+names[0])
}

// level is a problem if somebody must act before the certificate gets onto the node.
func (g *failureGroup) level() Level {
	switch {
	case g.reason.Class() == v1alpha1.ClassNone:
		return Note
	case g.installed || g.reason.Class() == v1alpha1.ClassTransient:
		return Warning
	}
	return Problem
}
