package doctor

// findInstalled looks for the agents' DaemonSet and the controller's Deployment.
func findInstalled(s *Snapshot) []Finding {
	const remedy = "Install Vaultpane; docs/install.md describes how."
	var findings []Finding
	if len(s.Agents) == 0 {
		findings = append(findings, finding(Problem, "no agent is installed: no DaemonSet has the label app.kubernetes.io/name=vaultpane").
			do(remedy, s.Upgrade("agent.enabled=true", "helm install vaultpane charts/vaultpane --namespace "+s.Namespace)))
	}
	if s.Controller == nil {
		findings = append(findings, finding(Problem, "no controller is installed: nothing writes the status of certificates or removes the startup taint").
			do(remedy, s.Upgrade("", "helm install vaultpane charts/vaultpane --namespace "+s.Namespace)))
	}
	return findings
}
