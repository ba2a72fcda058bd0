package doctor

import "github.com/vaultpane/vaultpane/internal/plugin/installation"

// findInstalled looks for the agents' DaemonSet and the controller's Deployment.
func findInstalled(s *Snapshot) []Finding {
	remedy, command := "Install Vaultpane; docs/install.md describes how.", "helm install vaultpane charts/vaultpane --namespace "+s.Namespace+" --create-namespace"
	where := ""
	if s.Chosen {
		remedy, command = "See whether it is in another namespace, and give that, or leave out --namespace.", "kubectl get daemonset,deployment --all-namespaces --selector "+installation.Selector
		where = " in namespace " + s.Namespace
	}
	var findings []Finding
	if len(s.Agents) == 0 {
		findings = append(findings, finding(Problem, "no agent is installed%s: no DaemonSet has the label %s", where, installation.Selector).
			do(remedy, s.Upgrade("agent.enabled=true", command)))
	}
	if s.Controller == nil {
		findings = append(findings, finding(Problem, "no controller is installed%s: nothing writes the status of certificates or removes the startup taint", where).
			do(remedy, s.Upgrade("", command)))
	}
	return findings
}
