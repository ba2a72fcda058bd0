// Package find looks for settings of the Key Vault VM extension in any JSON or YAML: the outputs of az, Azure PowerShell, Resource
// Graph and Terraform, templates, manifests of Cluster API, playbooks, or the settings alone. It goes by structure and not by
// format: keys count, wherever they are.
package find

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// Site is a place that asks for certificates.
type Site struct {
	finding.Place
	// Machine is the machine or scale set, zero if the input does not say.
	Machine Machine
	// Version is the extension's typeHandlerVersion, such as 3.0; empty if the input does not say.
	Version string
	// Settings are the extension's settings; nil if Certificates are those of osProfile.
	Settings *document.Node
	// Outer is an authenticationSettings around the settings, where the extension does not look; its Node is nil if there is none.
	Outer Value
	// Certificates is a list of {certificateUrl, certificateStore}, as in osProfile.secrets.
	Certificates *document.Node
	// Terraform reports that Terraform wrote the settings.
	Terraform bool
	// Skipped reports that a condition is false, so that nothing is deployed.
	Skipped bool
	// Doubt says why it is not known whether the site is deployed, empty if it is.
	Doubt string
}

// Value is a value with its place.
type Value struct {
	finding.Place
	Node *document.Node
}

// Machine is a machine or scale set.
type Machine struct {
	// Key identifies it within the input, Name is for people.
	Key, Name string
	// Pool is the AKS node pool that the scale set is, empty if the input does not say.
	Pool string
}

// Result is what was found.
type Result struct {
	Sites []Site
	// Machines are those whose extensions the input lists in full, by their keys: a machine without a site has no certificate.
	Machines map[string]Machine
	// Pools are the node pools of machines, by their keys.
	Pools map[string]string
	// Clients are the client ids of identities, by their resource ids and object ids in lower case, as machines list them.
	Clients map[string]string
	// Unclear are the machines of which something cannot be converted, by their keys.
	Unclear map[string]Machine
	// Known reports that the input is of a kind that may have settings.
	Known bool
}

// Finder looks through inputs.
type Finder struct {
	Result
	// Findings are what has to be said.
	Findings *finding.List
	// Parser reads JSON in strings.
	Parser document.Parser
}

// New returns a Finder.
func New(findings *finding.List, parser document.Parser) *Finder {
	return &Finder{Findings: findings, Parser: parser, Result: Result{Machines: map[string]Machine{}, Pools: map[string]string{}, Clients: map[string]string{}, Unclear: map[string]Machine{}}}
}

// around is what is known of a value from the values around it.
type around struct {
	finding.Place
	machine   Machine
	linux     bool
	outer     Value
	version   string
	terraform bool
	skipped   bool
	doubt     string
	depth     int
}

func (a around) at(path string, line int) around {
	a.Place = a.At(path, line)
	a.depth++
	return a
}

// hand adds a finding that needs a person. What it is about is not converted.
func (f *Finder) hand(a around, format string, arguments ...any) {
	f.Unclear[a.machine.Key] = a.machine
	f.Findings.Hand(a.Place, format, arguments...)
}

// lookup returns the first member whose key is one of names, without regard to case, hyphens and underscores.
func lookup(n *document.Node, names ...string) document.Member {
	if n == nil {
		return document.Member{}
	}
	for _, name := range names {
		for _, m := range n.Members {
			if simple(m.Key) == simple(name) {
				return m
			}
		}
	}
	return document.Member{}
}

// present returns the first member of names whose value is not absent.
func present(n *document.Node, names ...string) document.Member {
	for _, name := range names {
		if m := lookup(n, name); !m.Absent() {
			return m
		}
	}
	return document.Member{}
}

func textOf(n *document.Node, names ...string) string {
	m := present(n, names...)
	if m.Node == nil || m.Kind != document.String && m.Kind != document.Number {
		return ""
	}
	return strings.TrimSpace(m.Text)
}

func simple(key string) string {
	if strings.ContainsAny(key, "_-") {
		key = strings.NewReplacer("_", "", "-", "").Replace(key)
	}
	return strings.ToLower(key)
}

func members(n *document.Node) []document.Member {
	if n == nil {
		return nil
	}
	return n.Members
}
