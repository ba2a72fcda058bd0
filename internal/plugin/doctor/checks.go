package doctor

import "fmt"

// check is one check.
type check struct {
	name string
	// about says what is right if it finds nothing.
	about string
	// needs are the sources without which it is not made.
	needs []Source
	// of is the part that must be installed, else the check says nothing.
	of   part
	find func(*Snapshot) []Finding
}

// part is a part of Vaultpane.
type part int

// Parts.
const (
	anything part = iota
	agents
	controller
)

// installed reports whether a part is there, or may be.
func (s *Snapshot) installed(what part) bool {
	switch {
	case s.Unread[Workloads] != nil:
		return true
	case what == agents:
		return len(s.Agents) > 0
	case what == controller:
		return s.Controller != nil
	}
	return true
}

// checks are all checks, in the order of the report.
var checks = []check{
	{"kubernetes", "the version of Kubernetes is supported", []Source{Kubernetes}, anything, findKubernetes},
	{"crds", "the CRDs have the schema of this version", []Source{CRDs}, anything, findCRDs},
	{"installation", "agents and controller are installed", []Source{Workloads}, anything, findInstalled},
	{"agents", "an agent reports from every node that should run one", []Source{Workloads, Nodes, States}, agents, findAgents},
	{"versions", "agents, controller and this command have the same version", []Source{Workloads, States}, agents, findVersions},
	{"pods", "every pod runs", []Source{Workloads, Nodes, Pods}, agents, findPods},
	{"heartbeats", "every agent has renewed its Lease, polls in time and can write its report", []Source{Workloads, Nodes, Leases, Clock}, agents, findHeartbeats},
	{"controller", "a controller leads", []Source{Workloads, Leases, Clock}, controller, findController},
	{"policies", "each agent's token is limited to its node", []Source{Workloads, Policies, PolicyBindings}, agents, findPolicies},
	{"pod-security", "the namespace admits the agents", []Source{Workloads, Namespace}, agents, findPodSecurity},
	{"identity", "the agents' Azure identity is configured", []Source{Workloads, ServiceAccounts, Pods}, agents, findIdentity},
	{"startup-taint", "no node waits for certificates", []Source{Nodes, States, Certificates, Leases, Clock}, anything, findWaiting},
	{"vaults", "the vaults' names resolve here, and agents may contact them", []Source{Workloads, Certificates, Names}, agents, findVaults},
	{"selection", "every certificate selects a node", []Source{Workloads, Nodes, Certificates}, agents, findUnselected},
	{"polls", "no poll fails", []Source{States, Certificates}, anything, findFailures},
	{"expiry", "no certificate expires soon", []Source{States, Certificates, Clock}, anything, findExpiring},
	{"clocks", "the clocks agree", []Source{Leases, Clock}, agents, findClocks},
	{"events", "no warning in the last hour", []Source{Events, Clock}, anything, findEvents},
}

// Check returns the findings of all checks, the worst first. A check that finds nothing is a finding with the level OK.
func Check(s *Snapshot) []Finding {
	findings := s.unread()
	for _, one := range checks {
		if !s.has(one.needs) || !s.installed(one.of) {
			continue
		}
		found := one.find(s)
		for i := range found {
			found[i].Check = one.name
		}
		if len(found) == 0 {
			found = []Finding{{Check: one.name, Level: OK, Text: one.about}}
		}
		findings = append(findings, found...)
	}
	return inOrder(findings)
}

func (s *Snapshot) has(needs []Source) bool {
	for _, source := range needs {
		if s.Unread[source] != nil {
			return false
		}
	}
	return true
}

// affected returns the names of the checks that need a source.
func affected(source Source) (names []string) {
	for _, one := range checks {
		for _, needed := range one.needs {
			if needed == source {
				names = append(names, one.name)
			}
		}
	}
	return names
}

func finding(level Level, format string, arguments ...any) Finding {
	return Finding{Level: level, Text: fmt.Sprintf(format, arguments...)}
}

// do adds what to do.
func (f Finding) do(remedy, command string) Finding {
	f.Remedy, f.Command = remedy, command
	return f
}
