package doctor

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// newNode is how long a new node may take until its agent reports: the image is pulled, and network and API server must answer.
const newNode = 5 * time.Minute

// mostNames is how many names a finding has.
const mostNames = 5

// findAgents looks for nodes without a report of their agent.
func findAgents(s *Snapshot) []Finding {
	silent, starting := s.silentNodes()
	var findings []Finding
	if len(silent) > 0 {
		findings = append(findings, finding(Problem, "the agents of %s have not reported: %s", s.ofAgentNodes(len(silent)), terminal.Names(silent, mostNames)).
			do("Look at their pods and logs; the finding about pods says which do not run.", s.kubectl("get pods -o wide --selector app.kubernetes.io/name=vaultpane")))
	}
	if len(starting) > 0 {
		findings = append(findings, finding(Note, "%s younger than %s: %s", isAre(len(starting), "node without a report is", "nodes without a report are"), terminal.Age(newNode), terminal.Names(starting, mostNames)))
	}
	return append(findings, s.withoutAgent()...)
}

// silentNodes returns the nodes that should run an agent and have no report of it, apart from those that have just started.
func (s *Snapshot) silentNodes() (silent, starting []string) {
	for _, node := range s.agentNodes() {
		report := s.report(node.Name)
		if report != nil && report.NodeUID == node.UID {
			continue
		}
		switch name := node.Name + stateOf(node); {
		case s.Server.Sub(node.CreationTimestamp.Time) < newNode:
			starting = append(starting, name)
		case report != nil:
			silent = append(silent, name+" (its report is about an earlier node of this name)")
		default:
			silent = append(silent, name)
		}
	}
	return silent, starting
}

// withoutAgent finds Windows nodes that no DaemonSet of the agents selects.
func (s *Snapshot) withoutAgent() []Finding {
	var without []string
	windows := 0
	for _, node := range s.Nodes {
		if node.Labels[corev1.LabelOSStable] != "windows" {
			continue
		}
		windows++
		if !s.RunsAgent(labels.Set(node.Labels)) {
			without = append(without, node.Name)
		}
	}
	if windows == 0 && len(s.agentNodes()) == 0 && s.Node == "" {
		return []Finding{finding(Note, "the cluster has no node that should run an agent")}
	}
	if len(without) == 0 {
		return nil
	}
	level := Note
	if len(without) == windows && len(s.agentNodes()) == 0 && s.Node == "" {
		level = Problem // no certificate is installed anywhere
	}
	return []Finding{finding(level, "the agents' DaemonSet does not select %s: %s", countOf(len(without), windows, "Windows node"), terminal.Names(without, mostNames)).
		do("If they should have certificates, change agent.nodeSelector or agent.affinity of the chart, or the labels of the nodes.", s.kubectl("get daemonset --selector app.kubernetes.io/name=vaultpane -o wide"))}
}

// stateOf returns what is to be said of a node that is not ready.
func stateOf(node *corev1.Node) string {
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
			return " (the node is not ready)"
		}
	}
	return ""
}

func (s *Snapshot) ofAgentNodes(number int) string {
	return countOf(number, len(s.agentNodes()), "node")
}

func countOf(number, total int, noun string) string {
	return fmt.Sprintf("%d of %s", number, terminal.Count(total, noun))
}

func isAre(number int, singular, plural string) string {
	if number == 1 {
		return "1 " + singular
	}
	return fmt.Sprintf("%d %s", number, plural)
}

// kubectl returns a command in the namespace of Vaultpane.
func (s *Snapshot) kubectl(arguments string) string {
	return "kubectl -n " + s.Namespace + " " + arguments
}
