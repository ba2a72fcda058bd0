package doctor

import (
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// unread returns a finding for each source that could not be read.
func (s *Snapshot) unread() []Finding {
	var findings []Finding
	for _, source := range slices.Sorted(maps.Keys(s.Unread)) {
		err := s.Unread[source]
		if apierrors.IsNotFound(err) && (source == Certificates || source == States) {
			continue // its CRD is missing, which is a finding of the check of CRDs
		}
		checks := strings.Join(affected(source), ", ")
		if checks == "" {
			continue // it only makes another finding clearer
		}
		found := finding(Warning, "cannot check %s: reading %s: %v", checks, source, err)
		if apierrors.IsForbidden(err) {
			found = finding(Warning, "cannot check %s: this account needs get and list on %s", checks, source).
				do("Ask an administrator for the role of docs/kubectl.md, or run this with an account that has it.", whoMayRead(source, s.Namespace))
		}
		found.Check = "rights"
		findings = append(findings, found)
	}
	return findings
}

// namespaced are the sources that are read in the namespace of Vaultpane.
var namespaced = []Source{Workloads, Pods, Leases, ServiceAccounts, Events}

// whoMayRead returns the command that says whether an account may read a source.
func whoMayRead(source Source, namespace string) string {
	resource, _, _ := strings.Cut(string(source), " ")
	command := "kubectl auth can-i list " + resource
	if slices.Contains(namespaced, source) {
		command += " --namespace " + namespace
	}
	return command
}
