package plan

import (
	"slices"

	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Reach are the nodes that a certificate is installed on.
type Reach struct {
	// Gain would get it, Lose would no longer be selected, Keep are selected before and after.
	Gain []string `json:"gain,omitempty"`
	Lose []string `json:"lose,omitempty"`
	Keep []string `json:"keep,omitempty"`
	// Silent are nodes of Gain and Keep whose agent has not reported.
	Silent []string `json:"silent,omitempty"`
	// Waiting are nodes of Gain and Keep that have the startup taint.
	Waiting []string `json:"waiting,omitempty"`
	// Without are nodes that the selector selects and that should not run the agent.
	Without []string `json:"without,omitempty"`
}

// reach compares the nodes of a certificate as it is with those that are wanted.
func (s *State) reach(current *v1alpha1.ObservedCertificate, wanted *Wanted) Reach {
	var reach Reach
	for _, node := range s.Nodes {
		agent := s.runsAgent(node)
		before := current != nil && agent && selects(&current.Spec, node)
		after := selects(&wanted.Spec, node)
		switch {
		case after && !agent:
			reach.Without = append(reach.Without, node.Name)
			continue
		case after && before:
			reach.Keep = append(reach.Keep, node.Name)
		case after:
			reach.Gain = append(reach.Gain, node.Name)
		case before:
			reach.Lose = append(reach.Lose, node.Name)
		}
		if after && !node.Reports {
			reach.Silent = append(reach.Silent, node.Name)
		}
		if after && node.Waits {
			reach.Waiting = append(reach.Waiting, node.Name)
		}
	}
	if wanted.Spec.NodeSelector == nil {
		reach.Without = nil // it means every node that runs the agent
	}
	return reach
}

func selects(spec *v1alpha1.ObservedCertificateSpec, node Node) bool {
	selector, err := spec.NodeSelector.AsSelector()
	return err == nil && selector.Matches(node.Labels)
}

// common reports whether a node with an agent has both certificates. Without nodes, it may have.
func (s *State) common(a, b *v1alpha1.ObservedCertificateSpec) bool {
	return s.Nodes == nil || slices.ContainsFunc(s.Nodes, func(node Node) bool {
		return s.runsAgent(node) && selects(a, node) && selects(b, node)
	})
}

// runsAgent reports whether a node has an agent or should have one. If no DaemonSet of the agents is known, these are Windows nodes, as
// for the controller by default.
func (s *State) runsAgent(node Node) bool {
	return node.Reports || s.RunsAgent(node.Labels) || len(s.Agents) == 0 && node.Labels[corev1.LabelOSStable] == "windows"
}
