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
	var suspended []string
	for i := range s.Certificates {
		certificate := &s.Certificates[i]
		if certificate.Spec.Suspend {
			suspended = append(suspended, certificate.Name)
			continue
		}
		if with, without := s.selectedBy(certificate); with == 0 && s.Node == "" {
			findings = append(findings, s.unselected(certificate, without))
		}
	}
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

func (s *Snapshot) unselected(certificate *v1alpha1.ObservedCertificate, without int) Finding {
	agents := fmt.Sprintf("%s should run the agent", terminal.Count(len(s.agentNodes()), "node"))
	if without > 0 && certificate.Spec.NodeSelector != nil {
		return finding(Warning, "%s selects %s, none of which should run the agent; %s", certificate.Name, terminal.Count(without, "node"), agents).
			do("Change spec.nodeSelector, or let the agents run on these nodes (agent.nodeSelector of the chart).", "kubectl get nodes --show-labels")
	}
	return finding(Warning, "%s selects no node; %s", certificate.Name, agents).
		do("Compare spec.nodeSelector with the labels of the nodes. If its node pool is scaled to zero on purpose, suspend the certificate.", "kubectl get nodes --show-labels")
}
