package startupwait

import (
	"fmt"
	"strings"
	"time"
)

// mostNamed is how many certificates a description names.
const mostNamed = 5

// String describes what the node waits for.
func (w Wait) String() string {
	switch {
	case w.Refused != "":
		return w.Refused
	case !w.Unwritten.IsZero():
		return fmt.Sprintf("a report of this node's agent, which has not been able to write one since %s: check the error in its log, and that its service account may create and update NodeCertificateStates", w.Unwritten.UTC().Format(time.RFC3339))
	case w.NoAgent:
		return "the first report of an agent, but no agent runs on nodes with these labels: set the taint only on nodes that run the agent, or change the agent's node selector"
	case w.NoReport:
		return "the first report of this node's agent; if this persists, check the agent's pod on the node"
	}
	var parts []string
	for i, m := range w.Certificates {
		if i == mostNamed {
			parts = append(parts, fmt.Sprintf("and %d more", len(w.Certificates)-mostNamed))
			break
		}
		part := fmt.Sprintf("ObservedCertificate %s (%s", m.Name, m.Reason)
		if m.Message != "" {
			part += ": " + m.Message
		}
		parts = append(parts, part+")")
	}
	return strings.Join(parts, ", ")
}
