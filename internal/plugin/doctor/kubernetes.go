package doctor

import (
	"strconv"
	"strings"
)

// oldestMinor is the minor version of the oldest supported Kubernetes, 1.30: its API server puts the node into the tokens of pods.
const oldestMinor = 30

func findKubernetes(s *Snapshot) []Finding {
	minor, err := strconv.Atoi(strings.TrimRight(s.Kubernetes.Minor, "+"))
	if err != nil || s.Kubernetes.Major != "1" || minor >= oldestMinor {
		return nil
	}
	return []Finding{finding(Problem, "the API server is Kubernetes %s; Vaultpane needs 1.%d or later: an earlier one does not put the node into a pod's token, and does not serve ValidatingAdmissionPolicy", s.Kubernetes.GitVersion, oldestMinor).
		do("Upgrade the cluster.", "")}
}
