package find

import (
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// typeKeys are the keys under which tools name an extension's type; name is Cluster API's.
var typeKeys = []string{"typePropertiesType", "extensionType", "machineExtensionType", "virtual_machine_extension_type", "typeHandlerName", "type", "name"}

// typeOf returns the type of the extension that a map is, in lower case; empty if it is none.
func typeOf(n *document.Node) string {
	for _, key := range typeKeys {
		kind := strings.ToLower(textOf(n, key))
		switch {
		case kind == "" || strings.Contains(kind, "/"): // the type of a resource
		case key == "name" && lookup(n, "publisher").Node == nil:
		case strings.HasPrefix(kind, "keyvaultfor"):
			return kind
		case key != "name" && key != "type" || lookup(n, "publisher").Node != nil:
			return ""
		}
	}
	return ""
}

// extension looks at a map that is an extension. One of another kind has nothing for us, and its values are its own.
func (f *Finder) extension(n *document.Node, a around) bool {
	properties, kind := n, typeOf(n)
	if inner := present(n, "properties"); inner.Node != nil && inner.Kind == document.Map {
		if of := typeOf(inner.Node); of != "" || isExtension(inner.Node) {
			properties, kind = inner.Node, of
			a.Place = a.At(inner.Key, inner.Line)
		}
	}
	if kind == "" {
		return f.another(n, properties, a)
	}
	f.Known = true
	switch {
	case kind == "keyvaultforlinux":
		f.linux(a, "the Key Vault extension for Linux"+f.on(a))
	case kind == "keyvaultforpaas":
		f.hand(a, "the extension for Cloud Services (%s) signs in with a certificate, which Vaultpane does not; no certificate of it is converted: write ObservedCertificates by hand and give the agents an Azure identity", kind)
	case kind != "keyvaultforwindows":
		f.hand(a, "the extension %s is not known; no certificate of it is converted", kind)
	case a.linux:
		f.linux(a, "the extension for Windows on a machine with Linux"+f.on(a))
	default:
		f.windows(n, properties, a)
	}
	return true
}

// another looks at a map that does not say that it is the Key Vault extension, and reports whether that is all: an extension of
// another kind; one of which only the name is here, as in a listing of all machines; or settings that are all protected.
func (f *Finder) another(n, properties *document.Node, a around) bool {
	protected := lookup(n, "protectedSettings")
	switch {
	case isExtension(properties):
	case onlyNamed.MatchString(textOf(n, "id")) && present(n, append(settingsKeys, "properties")...).Node == nil:
		f.withoutSettings(a)
	case !protected.Absent() && protected.Kind == document.String && lookup(n, "publicSettings").Node != nil && present(n, "publicSettings").Node == nil:
		f.hand(a, "all settings%s are protected, which are not read; write them as for a new machine", f.on(a))
	default:
		return false
	}
	f.Known = true
	return true
}

// onlyNamed is the id of an extension whose name says that it is the Key Vault extension.
var onlyNamed = regexp.MustCompile(`(?i)/extensions/[^/]*(keyvaultforwindows|kvvmextension)[^/]*$`)

func (f *Finder) withoutSettings(a around) {
	f.hand(a, "the settings of the extension%s are not here: Azure does not show protected settings again, and a tool may not know them yet; write them as for a new machine, or take the file of the machine itself, C:\\Packages\\Plugins\\Microsoft.Azure.KeyVault.KeyVaultForWindows\\<version>\\RuntimeSettings\\*.settings", f.on(a))
}

// settingsKeys are the keys under which tools name an extension's settings.
var settingsKeys = []string{"settings", "publicSettings", "setting", "settings_json"}

// isExtension reports whether a map is a VM extension of any kind.
func isExtension(n *document.Node) bool {
	return lookup(n, "publisher").Node != nil && lookup(n, "typeHandlerVersion", "type", "extensionType").Node != nil && lookup(n, "offer", "sku").Node == nil
}

// windows reads the extension's settings.
func (f *Finder) windows(n, properties *document.Node, a around) {
	a.version = textOf(properties, "typeHandlerVersion", "version")
	for _, level := range []*document.Node{n, properties} {
		if outer := present(level, "authenticationSettings", "authenticationLocationSettings"); outer.Node != nil {
			a.outer = Value{a.At(outer.Key, outer.Line), outer.Node}
		}
	}
	settings := present(properties, settingsKeys...)
	if settings.Node == nil {
		settings = present(n, settingsKeys...)
	}
	if settings.Node == nil {
		f.withoutSettings(a)
		return
	}
	f.site(settings, a)
}

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
