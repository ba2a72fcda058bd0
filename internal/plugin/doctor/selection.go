package doctor

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// findUnselected looks for certificates that no node with an agent gets, and for suspended ones.
func findUnselected(s *Snapshot) []Finding {
	var findings []Finding
	var suspended, nowhere, elsewhere []string // elsewhere: on nodes without an agent
	agents := len(s.agentNodes())
	for i := range s.Certificates {
		certificate := &s.Certificates[i]
		if certificate.Spec.Suspend {
			suspended = append(suspended, certificate.Name)
			continue
		}
		switch with, without := s.selectedBy(certificate); {
		case with > 0 || s.Node != "" || agents == 0: // without a node for agents, that is a finding of the check of agents
		case without > 0 && certificate.Spec.NodeSelector != nil:
			elsewhere = append(elsewhere, certificate.Name)
		default:
			nowhere = append(nowhere, certificate.Name)
		}
	}
	findings = append(findings, s.unselected(elsewhere, nowhere)...)
	if len(suspended) > 0 {
		findings = append(findings, finding(Note, "%s suspended, so nothing is polled or changed: %s", isAre(len(suspended), "certificate is", "certificates are"), list(suspended)).
			do("Resume them when you want.", "kubectl vaultpane resume "+strings.Join(suspended, " ")))
	}
	if len(s.Certificates) == 0 && s.Node == "" {
		findings = append(findings, finding(Note, "there is no ObservedCertificate yet").
			do("Create one, or convert the settings of the Key Vault VM extension.", "kubectl vaultpane convert --help"))
	}
	return findings
}

// selectedBy counts the nodes that a certificate selects, with an agent and without.
func (s *Snapshot) selectedBy(certificate *v1alpha1.ObservedCertificate) (with, without int) {
	selector, err := certificate.Spec.NodeSelector.AsSelector()
	if err != nil {
		return 0, 0 // the API server refuses such selectors
	}
	for _, node := range s.Nodes {
		set := labels.Set(node.Labels)
		switch {
		case !selector.Matches(set):
		case s.RunsAgent(set):
			with++
		default:
			without++
		}
	}
	return with, without
}

// unselected returns a finding for all certificates that select only nodes without an agent, and one for those that select none.
func (s *Snapshot) unselected(elsewhere, nowhere []string) (findings []Finding) {
	agents := terminal.Count(len(s.agentNodes()), "node") + " should run the agent"
	if len(elsewhere) > 0 {
		findings = append(findings, finding(Warning, "%s only nodes that should not run the agent; %s", selecting(elsewhere), agents).
			do("Change spec.nodeSelector, or let the agents run on these nodes (agent.nodeSelector of the chart).", "kubectl get nodes --show-labels"))
	}
	if len(nowhere) > 0 {
		findings = append(findings, finding(Warning, "%s no node; %s", selecting(nowhere), agents).
			do("Compare spec.nodeSelector with the labels of the nodes. If the node pool is scaled to zero on purpose, suspend the certificate.", "kubectl get nodes --show-labels"))
	}
	return findings
}

// selecting begins a sentence about what certificates select.
func selecting(certificates []string) string {
	if len(certificates) == 1 {
		return certificates[0] + " selects"
	}
	return fmt.Sprintf("%d certificates (%s) select", len(certificates), list(certificates))
}
