package doctor

import (
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// agentPolicies limit what an agent's token may write, and say what could be written without them.
var agentPolicies = []struct{ name, without string }{
	{"vaultpane-agent-nodecertificatestates", "a token that was stolen from one node can write the states of all nodes"},
	{"vaultpane-agent-leases", "a token that was stolen from one node can renew the Leases of all nodes, and the controller's"},
	{"vaultpane-agent-events", "a token that was stolen from one node can write events about all nodes"},
}

// findPolicies checks that the policies exist, are in force, and are about the agents' account.
func findPolicies(s *Snapshot) []Finding {
	var missing, wrong []string
	var findings []Finding
	for _, wanted := range agentPolicies {
		policy, binding := s.Policies[wanted.name], s.Bindings[wanted.name]
		switch {
		case policy == nil:
			missing = append(missing, "ValidatingAdmissionPolicy "+wanted.name+" ("+wanted.without+")")
		case binding == nil || binding.Spec.PolicyName != wanted.name:
			missing = append(missing, "ValidatingAdmissionPolicyBinding "+wanted.name+" (the policy is not in force: "+wanted.without+")")
		case !slices.Contains(binding.Spec.ValidationActions, admissionv1.Deny):
			wrong = append(wrong, "the binding "+wanted.name+" does not deny")
		case binding.Spec.MatchResources != nil:
			wrong = append(wrong, "the binding "+wanted.name+" is limited to some objects")
		default:
			wrong = append(wrong, s.aboutOthers(policy)...)
		}
	}
	if len(missing) > 0 {
		findings = append(findings, finding(Warning, "missing: %s", strings.Join(missing, "; ")).
			do("Install the policies; docs/security.md explains each rule.", s.applyPolicies()))
	}
	if len(wrong) > 0 {
		findings = append(findings, finding(Warning, "the policies do not limit the agents: %s", strings.Join(wrong, "; ")).
			do("Install them again, for the agents' namespace and service account.", s.applyPolicies()))
	}
	return findings
}

// applyPolicies returns the command that installs the policies. Those of config/ are for the namespace of the documentation.
func (s *Snapshot) applyPolicies() string {
	return s.Upgrade("policies.enabled=true", "kubectl apply -k config/policy")
}

// aboutOthers returns what is wrong if a policy's condition does not name an agent's account.
func (s *Snapshot) aboutOthers(policy *admissionv1.ValidatingAdmissionPolicy) (wrong []string) {
	if len(policy.Spec.MatchConditions) == 0 {
		return nil // it is about everybody
	}
	for _, account := range s.agentAccounts() {
		named := slices.ContainsFunc(policy.Spec.MatchConditions, func(condition admissionv1.MatchCondition) bool {
			return strings.Contains(condition.Expression, "'"+account+"'")
		})
		if !named {
			wrong = append(wrong, policy.Name+" is not about "+account)
		}
	}
	return wrong
}

// agentAccounts returns the names of the agents' service accounts as the API server sees them.
func (s *Snapshot) agentAccounts() (accounts []string) {
	for _, set := range s.Agents {
		name := "system:serviceaccount:" + s.Namespace + ":" + set.Spec.Template.Spec.ServiceAccountName
		if !slices.Contains(accounts, name) {
			accounts = append(accounts, name)
		}
	}
	return accounts
}

// list joins the first few names.
func list(names []string) string { return terminal.Names(names, mostNames) }
