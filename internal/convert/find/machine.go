package find

import (
	"regexp"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// ofMachine finds a machine in a resource id.
var ofMachine = regexp.MustCompile(`(?i)^(/subscriptions/.*?/(?:virtualMachines|virtualMachineScaleSets|Microsoft\.HybridCompute/machines|nodeTypes|batchAccounts/[^/]+/pools)/([^/]+))`)

// ofID returns the machine that a resource id is in.
func ofID(id string) (machine Machine, is bool) {
	parts := ofMachine.FindStringSubmatch(id)
	if parts == nil {
		return Machine{}, false
	}
	return Machine{Key: strings.ToLower(parts[1]), Name: parts[2]}, true
}

// nameKeys are the keys under which tools name the machine of an extension.
var nameKeys = []string{"VMName", "virtual_machine_name", "vmss_name", "MachineName", "VMScaleSetName", "VirtualMachineScaleSetName"}

// kinds are the types of resources that are machines.
var kinds = map[string]bool{
	"microsoft.compute/virtualmachines":                 true,
	"microsoft.compute/virtualmachinescalesets":         true,
	"microsoft.hybridcompute/machines":                  true,
	"microsoft.servicefabric/managedclusters/nodetypes": true,
	"microsoft.batch/batchaccounts/pools":               true,
	"microsoft.devopsinfrastructure/pools":              true,
}

// machine adds the machine that a map is, or belongs to.
func (f *Finder) machine(n *document.Node, a around) around {
	kind := strings.ToLower(textOf(n, "type"))
	kind, _, _ = strings.Cut(kind, "@") // azapi has the version of the API there
	if strings.HasPrefix(kind, "microsoft.") && strings.Contains(kind, "/") {
		f.Known = true
	}
	of, own := kind, kinds[kind]
	if parent, is := strings.CutSuffix(kind, "/extensions"); is {
		of = parent
	}
	name, word := lookup(n, "name"), textOf(n, nameKeys...)
	machine, identified := ofID(textOf(n, "id", "parent_id", "virtual_machine_id", "virtual_machine_scale_set_id", "arc_machine_id"))
	switch {
	case identified:
		a.machine = machine
	case kinds[of] && name.Node != nil:
		a.machine = named(of, name.Node, own)
	case word != "":
		a.machine = Machine{Key: "name/" + strings.ToLower(word), Name: word}
	}
	if own || lookup(n, "virtualMachineProfile").Node != nil || lookup(n, "osProfile").Node != nil {
		a.linux = isLinux(n, 0)
	}
	if own {
		f.remember(n, a)
	}
	return a
}

// named makes a machine of the name in a template: vm1, vm1/KeyVaultForWindows, or cluster/nodetype. A name that is not known is
// no name.
func named(kind string, name *document.Node, own bool) Machine {
	if name.Kind != document.String {
		return Machine{}
	}
	words := strings.Split(name.Text, "/")
	last := len(words) - 1
	if !own {
		last-- // the extension's own name
	}
	if last < 0 {
		return Machine{}
	}
	return Machine{Key: kind + "/" + strings.ToLower(words[last]), Name: words[last]}
}

// remember keeps a machine whose extensions are listed here, and its node pool.
func (f *Finder) remember(n *document.Node, a around) {
	if a.machine.Key == "" || a.linux || a.skipped {
		return
	}
	if pool := textOf(present(n, "tags").Node, "aks-managed-poolName", "poolName"); pool != "" {
		f.Pools[a.machine.Key] = pool
	}
	properties := n
	if inner := present(n, "properties"); inner.Node != nil {
		properties = inner.Node
	}
	profile := present(present(properties, "virtualMachineProfile").Node, "extensionProfile").Node
	extensions := lookup(profile, "extensions").Node
	listed := extensions != nil && extensions.Kind == document.List
	if none := extensions.Absent() && present(n, "resources", "extensions").Node == nil; listed || none && isWindows(n, 0) {
		f.Machines[a.machine.Key] = a.machine
	}
}

// isWindows looks for what only machines with Windows have.
func isWindows(n *document.Node, depth int) bool {
	if strings.EqualFold(textOf(n, "osType"), "windows") || !lookup(n, "windowsConfiguration").Absent() {
		return true
	}
	return depth < 12 && inside(n, func(inner *document.Node) bool { return isWindows(inner, depth+1) })
}

// inside reports whether something holds for a map in a map, without the resources that belong to it.
func inside(n *document.Node, holds func(*document.Node) bool) bool {
	return slices.ContainsFunc(members(n), func(m document.Member) bool {
		key := simple(m.Key)
		return key != "resources" && key != "tags" && m.Kind == document.Map && holds(m.Node)
	})
}

// isLinux looks for what only machines with Linux have.
func isLinux(n *document.Node, depth int) bool {
	if depth > 12 || n == nil {
		return false
	}
	if own := lookup(n, "linuxConfiguration", "os_profile_linux_config"); !own.Absent() && len(own.Members)+len(own.Items) > 0 {
		return true
	}
	if strings.EqualFold(textOf(n, "osType"), "linux") {
		return true
	}
	return inside(n, func(inner *document.Node) bool { return isLinux(inner, depth+1) })
}
