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
		if owner := textOf(present(n.Get("spec"), "owner").Node, "name"); owner != "" {
			a.machine = Machine{Key: "owner/" + strings.ToLower(owner), Name: owner}
		}
		f.children(n, a)
	default:
		return false
	}
	return true
}

func (f *Finder) forPods(a around, kind, name, what string) {
	f.Known = true
	f.hand(a, "%s %s: %s, which do not see the node's certificate store; it is not converted. Keep it, or let the container run the agent itself (docs/windows-containers.md)", kind, name, what)
}
