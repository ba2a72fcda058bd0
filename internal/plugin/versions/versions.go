// Package versions tells which versions of Vaultpane a cluster runs, and how they go together with this command's.
package versions

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// Versions are those of this command and of a cluster.
type Versions struct {
	Client Client `json:"client"`
	// Cluster is nil with --client.
	Cluster *Cluster `json:"cluster,omitempty"`
	// Warnings say what does not go together.
	Warnings []string `json:"warnings,omitempty"`
}

// Client is this command.
type Client struct {
	Version   string `json:"version"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

// Cluster is what a cluster runs.
type Cluster struct {
	Namespace  string `json:"namespace"`
	Kubernetes string `json:"kubernetes,omitempty"`
	// Controller is the version that its Deployment asks for; empty if it is unknown.
	Controller string `json:"controller,omitempty"`
	// Agents are the versions that nodes report, the most frequent first.
	Agents []Agents `json:"agents"`
	// CRDs are compared with those of this command.
	CRDs []CRD `json:"crds"`
	// Unread says what could not be read.
	Unread []string `json:"unread,omitempty"`
}

// Agents counts the nodes whose agents have a version.
type Agents struct {
	Version string `json:"version"`
	Nodes   int    `json:"nodes"`
}

// CRD compares a CustomResourceDefinition.
type CRD struct {
	Name string `json:"name"`
	// State is current, older, newer, missing or unknown.
	State string `json:"state"`
}

// States of a CRD.
const (
	Current = "current"
	Older   = "older"
	Newer   = "newer"
	Missing = "missing"
)

// Own returns the version of this command.
func Own(version string) Client {
	return Client{Version: version, GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
}

// Count counts the versions that agents report.
func Count(reported []string) []Agents {
	counts := map[string]int{}
	for _, version := range reported {
		counts[version]++
	}
	var agents []Agents
	for _, version := range slices.Sorted(maps.Keys(counts)) {
		agents = append(agents, Agents{version, counts[version]})
	}
	slices.SortStableFunc(agents, func(a, b Agents) int { return b.Nodes - a.Nodes })
	return agents
}

// Skew returns what does not go together, a sentence each.
func Skew(client string, cluster *Cluster) (warnings []string) {
	if len(cluster.Agents) > 1 {
		warnings = append(warnings, "agents have several versions: a roll-out is under way, or has stopped; 'kubectl vaultpane doctor' says more")
	}
	for _, agents := range cluster.Agents {
		if !installation.SameVersion(agents.Version, cluster.Controller) {
			warnings = append(warnings, fmt.Sprintf("the agents of %s have version %s, and the controller %s", terminal.Count(agents.Nodes, "node"), agents.Version, cluster.Controller))
		}
	}
	if client != "dev" && !installation.SameVersion(client, cluster.Controller) {
		warnings = append(warnings, fmt.Sprintf("this command has version %s, and the controller %s: install the version that the cluster has", client, cluster.Controller))
	}
	for _, crd := range cluster.CRDs {
		switch crd.State {
		case Older, Missing:
			warnings = append(warnings, fmt.Sprintf("the CRD %s is %s: 'kubectl vaultpane doctor' says what it lacks", crd.Name, crd.State))
		case Newer:
			warnings = append(warnings, fmt.Sprintf("the CRD %s is newer than this command", crd.Name))
		}
	}
	return warnings
}

// Text returns the versions as lines.
func (v Versions) Text(style terminal.Style) string {
	var text strings.Builder
	line := func(name, value string) {
		text.WriteString(style.Wrap(fmt.Sprintf("%-12s", name), "             ", value))
	}
	line("client", fmt.Sprintf("%s (%s, %s)", v.Client.Version, v.Client.Platform, v.Client.GoVersion))
	if v.Cluster != nil {
		v.Cluster.lines(line)
	}
	for _, warning := range v.Warnings {
		head := style.Sign(terminal.Warning) + " warning:"
		text.WriteString(style.Paint(terminal.Warning, head) + strings.TrimPrefix(style.Wrap(head+" ", "  ", warning), head))
	}
	return text.String()
}

func (c *Cluster) lines(line func(name, value string)) {
	controller := c.Controller
	if controller == "" {
		controller = "unknown"
	}
	line("controller", controller+" in namespace "+c.Namespace)
	var agents []string
	for _, one := range c.Agents {
		agents = append(agents, fmt.Sprintf("%s on %s", one.Version, terminal.Count(one.Nodes, "node")))
	}
	if len(agents) == 0 {
		agents = []string{"none has reported"}
	}
	line("agents", strings.Join(agents, ", "))
	var crds []string
	for _, crd := range c.CRDs {
		crds = append(crds, fmt.Sprintf("%s %s", strings.TrimSuffix(crd.Name, ".vaultpane.dev"), crd.State))
	}
	if len(crds) > 0 {
		line("CRDs", strings.Join(crds, ", "))
	}
	line("Kubernetes", c.Kubernetes)
	for _, one := range c.Unread {
		line("not read", one)
	}
}
