package doctor

// enforceLevel is the label that sets the Pod Security level of a namespace
// (https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces).
const enforceLevel = "pod-security.kubernetes.io/enforce"

// findPodSecurity checks that the namespace admits pods with access to the host.
func findPodSecurity(s *Snapshot) []Finding {
	remedy := "kubectl label namespace " + s.Namespace + " --overwrite " + enforceLevel + "=privileged"
	if s.Home == nil {
		return []Finding{finding(Problem, "the namespace %s does not exist", s.Namespace).do("Create it.", "kubectl create namespace "+s.Namespace)}
	}
	switch level := s.Home.Labels[enforceLevel]; level {
	case "privileged":
		return nil
	case "":
		return []Finding{finding(Note, "namespace %s has no Pod Security level, so the default of the API server decides whether it admits the agents", s.Namespace).
			do("Label it, so that it does not depend on that.", remedy)}
	default:
		return []Finding{finding(Problem, "namespace %s admits %s pods only, and the agents need access to the host: new pods are refused", s.Namespace, level).
			do("Label the namespace.", remedy)}
	}
}
