package doctor

import (
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/schemadiff"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// ApplyCRDs is the command that brings the CRDs up to date with this command.
const ApplyCRDs = "kubectl vaultpane crds | kubectl apply --server-side --force-conflicts -f -"

// findCRDs compares the CRDs with those that this command was built with.
func findCRDs(s *Snapshot) []Finding {
	var findings []Finding
	for _, own := range schemadiff.Own() {
		there := s.CRDs[own.Name]
		if there == nil {
			findings = append(findings, finding(Problem, "the CRD %s does not exist, so the API server does not know %s", own.Name, own.Kind).
				do("Install it.", ApplyCRDs))
			continue
		}
		if why := notServed(there); why != "" {
			findings = append(findings, finding(Problem, "the API server does not serve the CRD %s: %s", own.Name, why).
				do("Correct what the condition says, or install it again.", ApplyCRDs))
			continue
		}
		findings = append(findings, compareSchema(own, there)...)
	}
	return findings
}

func compareSchema(own schemadiff.CRD, there *apiextensionsv1.CustomResourceDefinition) []Finding {
	missing, extra, err := own.Compare(there)
	switch {
	case err != nil:
		return []Finding{finding(Problem, "the CRD %s: %v", own.Name, err).do("Install the CRD of this version.", ApplyCRDs)}
	case len(missing) > 0:
		return []Finding{finding(Warning, "the CRD %s is older than this command, or was changed: it lacks %s. What it lacks is dropped or not checked",
			own.Name, terminal.Names(missing, 5)).do("Upgrade it. If the agents are older too, upgrade them first.", ApplyCRDs)}
	case len(extra) > 0:
		return []Finding{finding(Note, "the CRD %s is newer than this command: it has %s too", own.Name, terminal.Names(extra, 5)).
			do("Install the version of this command that the cluster has.", "kubectl vaultpane version")}
	}
	return nil
}

// notServed returns what the CRD's conditions say against it.
func notServed(crd *apiextensionsv1.CustomResourceDefinition) string {
	for _, condition := range crd.Status.Conditions {
		wrong := condition.Status != apiextensionsv1.ConditionTrue &&
			slices.Contains([]apiextensionsv1.CustomResourceDefinitionConditionType{apiextensionsv1.Established, apiextensionsv1.NamesAccepted}, condition.Type)
		if wrong {
			return strings.TrimSpace(condition.Reason + ": " + condition.Message)
		}
	}
	return ""
}
