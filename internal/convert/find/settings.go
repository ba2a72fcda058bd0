package find

import (
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// site adds the site of settings, which may be JSON in a string.
func (f *Finder) site(settings document.Member, a around) {
	a = a.at(settings.Key, settings.Line)
	node := settings.Node
	for range 3 {
		if node.Kind != document.String {
			break
		}
		inner, problems := f.Parser.Embedded(node)
		if len(problems) > 0 || inner.Kind == document.String && inner.Text == node.Text {
			f.hand(a, "the settings%s are text that is no JSON: what the machine really uses is in C:\\Packages\\Plugins\\Microsoft.Azure.KeyVault.KeyVaultForWindows\\<version>\\RuntimeSettings\\*.settings", f.on(a))
			return
		}
		node = inner
	}
	switch node.Kind {
	case document.Map:
		if inner := present(node, settingsKeys...); inner.Node != nil && a.depth < deepest && lookup(node, "secretsManagementSettings", "observedCertificates").Node == nil {
			f.Findings.Note(a.At(inner.Key, inner.Line), "is within the settings, one level too deep for the extension; it is used")
			f.site(inner, a)
			return
		}
		f.add(Site{Settings: node}, a)
	case document.Unresolved:
		f.hand(a, "the settings%s are not known: %s", f.on(a), node.Text)
	default:
		f.hand(a, "the settings%s are %s, must be a map", f.on(a), node.Kind)
	}
}

// whole returns the whole output of a tool where the settings should be, as the values of Vaultpane's chart may have it; nil if it
// is none.
func (f *Finder) whole(n *document.Node) *document.Node {
	if n != nil && n.Kind == document.String {
		inner, problems := f.Parser.Embedded(n)
		if len(problems) > 0 {
			return nil
		}
		n = inner
	}
	if lookup(n, "observedCertificates").Node == nil && lookup(n, wrappers...).Node != nil {
		return n
	}
	return nil
}

// wrappers are what tools put around the settings.
var wrappers = []string{"properties", "settings", "publicSettings", "runtimeSettings", "secretsManagementSettings", "osProfile"}

func (f *Finder) add(s Site, a around) {
	f.Known = true
	s.Place, s.Machine, s.Version, s.Outer = a.Place, a.machine, a.version, a.outer
	s.Terraform, s.Skipped, s.Doubt = a.terraform, a.skipped, a.doubt
	f.Sites = append(f.Sites, s)
}

// settings looks at a map that has the settings itself, without a resource around.
func (f *Finder) settings(n *document.Node, a around) bool {
	secrets := lookup(n, "secretsManagementSettings")
	f.Known = f.Known || secrets.Node != nil
	if secrets.Absent() && lookup(n, "observedCertificates").Node == nil {
		return false
	}
	if inner := f.whole(secrets.Node); inner != nil {
		f.visit(inner, a.at(secrets.Key, secrets.Line))
		return true
	}
	if secrets.Node != nil && a.outer.Node != nil && !present(n, "authenticationSettings", "authenticationLocationSettings").Absent() {
		a.outer = Value{} // it is beside them, where it belongs
	}
	if a.linux {
		f.Known = true
		f.linux(a, "settings on a machine with Linux"+f.on(a))
		return true
	}
	f.add(Site{Settings: n}, a)
	return true
}

func (f *Finder) linux(a around, what string) {
	f.Findings.Hand(a.Place, "%s: Linux nodes have no certificate store, so nothing of it is converted; take a Secret or the Secrets Store CSI driver there", what)
}

// on names the machine for a message.
func (f *Finder) on(a around) string {
	if a.machine.Name == "" {
		return ""
	}
	return " on " + a.machine.Name
}

// osProfile looks at a map that has certificates of a vault, as osProfile.secrets of machines and vmSecrets of Service Fabric have.
func (f *Finder) osProfile(n *document.Node, a around) {
	list := lookup(n, "vaultCertificates")
	if list.Node == nil && !present(n, "sourceVault", "key_vault_id", "vault_id", "source_vault_id").Absent() {
		list = lookup(n, "certificates", "certificate")
	}
	if list.Node == nil {
		return
	}
	f.Known = true
	switch {
	case list.Kind == document.Unresolved:
		f.hand(a.at(list.Key, list.Line), "the certificates%s are not known: %s", f.on(a), list.Text)
	case list.Kind != document.List || len(list.Items) == 0:
	case a.linux:
		f.linux(a, "certificates of osProfile"+f.on(a))
	default:
		f.add(Site{Certificates: list.Node}, a.at(list.Key, list.Line))
	}
}
