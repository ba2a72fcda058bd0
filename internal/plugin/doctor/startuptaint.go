package doctor

import (
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/internal/startupwait"
)

// patience is how long a node may keep its startup taint until that is worth a warning.
const patience = 10 * time.Minute

// findWaiting explains what nodes with the startup taint wait for, one finding for all that wait for the same.
func findWaiting(s *Snapshot) []Finding {
	var findings []Finding
	nodes := map[string][]string{}
	for i := range s.Nodes {
		node := &s.Nodes[i]
		if !slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return v1alpha1.IsStartupTaintKey(taint.Key) }) {
			continue
		}
		found := s.explain(node)
		at := found.Text
		if nodes[at] == nil {
			findings = append(findings, found)
		}
		age := s.Server.Sub(node.CreationTimestamp.Time)
		nodes[at] = append(nodes[at], fmt.Sprintf("%s (%s old)", node.Name, terminal.Age(age)))
	}
	for i := range findings {
		names := nodes[findings[i].Text]
		findings[i].Text = fmt.Sprintf("%s with the startup taint: %s. Waiting for %s", terminal.Count(len(names), "node"), list(names), findings[i].Text)
	}
	return findings
}

// explain returns what one node waits for, with a level that follows from who must act and since when.
func (s *Snapshot) explain(node *corev1.Node) Finding {
	waiting := s.waitOf(node)
	level := Note
	if s.Server.Sub(node.CreationTimestamp.Time) > patience {
		level = Warning
	}
	switch {
	case waiting.Done():
		return finding(level, "the controller: all of its certificates are installed").
			do("If that lasts, look at the controller's log and the events of the node: the API server may refuse the removal.", s.kubectl("logs deployment/"+controllerName))
	case waiting.NoReport && waiting.Unwritten.IsZero():
		return finding(level, "%s", waiting).do("Look at the agent's pod on the node.", s.kubectl("get pods -o wide --field-selector spec.nodeName="+node.Name))
	case waiting.NeedsAction():
		level = Problem
	}
	return finding(level, "%s", waiting).do(remedyOf(waiting), "kubectl get nodecert "+node.Name+" -o yaml")
}

func remedyOf(waiting startupwait.Wait) string {
	if len(waiting.Certificates) == 0 {
		return ""
	}
	first := waiting.Certificates[0]
	return first.Reason.Info().Action + " With requireInitialSync: false, the node does not wait for " + first.Name + "."
}

// waitOf decides as the controller does.
func (s *Snapshot) waitOf(node *corev1.Node) startupwait.Wait {
	var state *v1alpha1.NodeCertificateState
	if report := s.report(node.Name); report != nil {
		state = &v1alpha1.NodeCertificateState{NodeUID: string(report.NodeUID), Certificates: report.Entries, Omitted: report.Omitted}
	}
	var unwritten time.Time
	if lease := s.lease(node.Name); lease != nil && lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity == string(node.UID) {
		unwritten = heartbeat.UnwrittenSince(lease)
	}
	waiting := startupwait.Decide(node, state, unwritten, s.Certificates)
	waiting.NoAgent = waiting.NoReport && s.Unread[Workloads] == nil && !s.RunsAgent(labels.Set(node.Labels))
	return waiting
}
