package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"

	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// findHeartbeats reads what agents say with their Leases.
func findHeartbeats(s *Snapshot) []Finding {
	var silent, unwritten, overdue []string
	late := "" // the first node of overdue
	for _, node := range s.agentNodes() {
		lease := s.lease(node.Name)
		if lease == nil || lease.Spec.RenewTime == nil {
			continue // no agent has run there, which is a finding of the check of agents
		}
		if age := s.Server.Sub(writtenAt(lease)); age > 3*heartbeat.Period {
			silent = append(silent, fmt.Sprintf("%s (%s)", node.Name, terminal.Age(age)))
			continue
		}
		if since := heartbeat.UnwrittenSince(lease); !since.IsZero() {
			unwritten = append(unwritten, fmt.Sprintf("%s (for %s)", node.Name, terminal.Age(s.Server.Sub(since))))
		}
		if since := heartbeat.OverdueSince(lease); !since.IsZero() {
			late = cmp.Or(late, node.Name)
			overdue = append(overdue, fmt.Sprintf("%s (for %s)", node.Name, terminal.Age(s.Server.Sub(since))))
		}
	}
	var findings []Finding
	if len(silent) > 0 {
		findings = append(findings, finding(Problem, "the agents of %s have not renewed their Lease for %s: %s", s.ofAgentNodes(len(silent)), terminal.Age(3*heartbeat.Period), terminal.Names(silent, mostNames)).
			do("Look at the node and at the pod on it.", s.kubectl("get pods -o wide --selector app.kubernetes.io/name=vaultpane")))
	}
	if len(unwritten) > 0 {
		findings = append(findings, finding(Problem, "the agents of %s cannot write their report: %s", s.ofAgentNodes(len(unwritten)), terminal.Names(unwritten, mostNames)).
			do("Their log has the error. If it is about rights, apply the agents' role again.", s.Upgrade("rbac.create=true", "kubectl apply -f config/rbac/agent")))
	}
	if len(overdue) > 0 {
		findings = append(findings, finding(Warning, "a poll is overdue on %s: %s", s.ofAgentNodes(len(overdue)), terminal.Names(overdue, mostNames)).
			do("If it lasts, look at its log, then delete the pod: the DaemonSet creates another.", s.kubectl("logs "+s.agentOn(late))))
	}
	return findings
}

// agentOn names the agent's pod on a node, for a command. Without one it names the DaemonSet, of which kubectl takes any pod.
func (s *Snapshot) agentOn(node string) string {
	for i := range s.Pods {
		if pod := &s.Pods[i]; pod.Spec.NodeName == node && strings.HasPrefix(pod.Labels[installation.Component], "agent") && pod.DeletionTimestamp.IsZero() {
			return "pod/" + pod.Name
		}
	}
	return "daemonset/" + s.firstAgent()
}

// lease returns the Lease of a name, nil if there is none.
func (s *Snapshot) lease(name string) *coordinationv1.Lease {
	at, found := slices.BinarySearchFunc(s.Leases, name, func(lease coordinationv1.Lease, name string) int { return strings.Compare(lease.Name, name) })
	if !found {
		return nil
	}
	return &s.Leases[at]
}

// writtenAt returns when a Lease was last written, by the clock of the API server where it recorded it, else by that of the writer.
func writtenAt(lease *coordinationv1.Lease) time.Time {
	var last time.Time
	for _, entry := range lease.ManagedFields {
		if entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	if last.IsZero() && lease.Spec.RenewTime != nil {
		return lease.Spec.RenewTime.Time
	}
	return last
}
