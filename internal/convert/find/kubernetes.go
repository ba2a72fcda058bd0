package find

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// kubernetes looks at an object of Kubernetes, and reports whether that is all.
func (f *Finder) kubernetes(n *document.Node, a around) bool {
	version, kind := textOf(n, "apiVersion"), n.Get("kind")
	if version == "" || kind == nil || kind.Kind != document.String || !strings.Contains(version, "/") {
		return false
	}
	group, _, _ := strings.Cut(version, "/")
	name := textOf(n.Get("metadata"), "name")
	switch {
	case group == "secrets-store.csi.x-k8s.io" && kind.Text == "SecretProviderClass":
		f.forPods(a, kind.Text, name, "the Secrets Store CSI driver mounts files into pods")
	case group == "spv.no" && strings.HasPrefix(kind.Text, "AzureKeyVault"):
		f.forPods(a, kind.Text, name, "akv2k8s makes Secrets for pods")
	case group == "external-secrets.io" && strings.HasSuffix(kind.Text, "ExternalSecret"):
		f.forPods(a, kind.Text, name, "External Secrets makes Secrets for pods")
	case group == "vaultpane.dev":
		f.Known = true
		f.Findings.Note(a.Place, "%s %s is Vaultpane's already; apply it as it is", kind.Text, name)
	case strings.HasSuffix(group, "cluster.x-k8s.io"):
		f.Known = true
		a.machine = Machine{Key: strings.ToLower(kind.Text + "/" + name), Name: name}
		a.linux = isLinux(n, 0)
		f.children(n, a)
	case strings.HasSuffix(group, "azure.com"): // Azure Service Operator
		f.Known = true
		a.machine, a.linux = ofOperator(kind.Text, name, n.Get("spec")), isLinux(n, 0)
		f.children(n, a)
	default:
		return false
	}
	return true
}

// ofOperator is the machine of an object of Azure Service Operator: itself, or the owner of an extension. A machine's own owner is
// its resource group.
func ofOperator(kind, name string, spec *document.Node) Machine {
	owner := present(spec, "owner").Node
	switch {
	case kind == "VirtualMachine" || kind == "VirtualMachineScaleSet" || kind == "ManagedClusterNodeType":
		if own := textOf(spec, "azureName"); own != "" {
			name = own
		}
	case textOf(owner, "armId") != "":
		name = textOf(owner, "armId")
		if parts := ofMachine.FindStringSubmatch(name); parts != nil {
			return Machine{Key: strings.ToLower(parts[1]), Name: parts[2]}
		}
	default:
		name = textOf(owner, "name")
	}
	if name == "" {
		return Machine{}
	}
	return Machine{Key: "owner/" + strings.ToLower(name), Name: name}
}

func (f *Finder) forPods(a around, kind, name, what string) {
	f.Known = true
	f.hand(a, "%s %s: %s, which do not see the node's certificate store; it is not converted. Keep it, or let the container run the agent itself (docs/windows-containers.md)", kind, name, what)
}
