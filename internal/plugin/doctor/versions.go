package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// findVersions compares the versions of agents, controller and this command.
func findVersions(s *Snapshot) []Finding {
	var findings []Finding
	running, wanted := s.ControllerVersion(), s.AgentVersion()
	if !installation.SameVersion(running, wanted) {
		findings = append(findings, finding(Warning, "the DaemonSet of the agents has version %s, and the controller %s", wanted, running).
			do("Give both the same version: leave agent.image.tag and controller.image.tag of the chart empty.", s.Upgrade("agent.image.tag=,controller.image.tag=", s.kubectl("get daemonset,deployment -o wide"))))
	}
	if wanted == "" {
		wanted = running
	}
	if others := s.otherVersions(wanted); others != "" {
		remedy, command := "The roll-out of the agents is under way; wait for it.", s.kubectl("rollout status daemonset/"+s.firstAgent())
		if s.replacedByHand() {
			remedy, command = "The update strategy is OnDelete: delete the pods that are to be replaced.", s.kubectl("delete pods --selector app.kubernetes.io/component=agent")
		}
		findings = append(findings, finding(Warning, "some agents have another version than %s: %s", wanted, others).do(remedy, command))
	}
	if !installation.SameVersion(running, s.Client) && s.Client != "dev" {
		findings = append(findings, finding(Note, "this command has version %s, and the controller %s", s.Client, running).
			do("Install the version of this command that the cluster has.", ""))
	}
	return findings
}

// otherVersions counts the agents that report a version other than the wanted one.
func (s *Snapshot) otherVersions(wanted string) string {
	counts := map[string]int{}
	for _, report := range s.Reports {
		if report.AgentVersion != "" && !installation.SameVersion(report.AgentVersion, wanted) {
			counts[report.AgentVersion]++
		}
	}
	var parts []string
	for _, version := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s on %s", version, terminal.Count(counts[version], "node")))
	}
	return strings.Join(parts, ", ")
}

// firstAgent returns the name of the agents' DaemonSet.
func (s *Snapshot) firstAgent() string {
	if len(s.Agents) == 0 {
		return "vaultpane-agent"
	}
	return s.Agents[0].Name
}

func (s *Snapshot) replacedByHand() bool {
	return slices.ContainsFunc(s.Agents, func(set appsv1.DaemonSet) bool {
		return set.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType
	})
}
