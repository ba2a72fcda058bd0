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
	protected, kind := lookup(n, "protectedSettings"), lookup(properties, "type", "extensionType")
	switch {
	case isExtension(properties) && kind.Node != nil && kind.Kind == document.Unresolved && mayBeOurs(properties):
		f.hand(a, "the extension's type%s is not known: %s; if it is KeyVaultForWindows, no certificate of it is converted", f.on(a), kind.Text)
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

// mayBeOurs reports whether an extension whose type is not known is of Key Vault's publisher, or has its settings.
func mayBeOurs(n *document.Node) bool {
	settings := present(n, settingsKeys...).Node
	return strings.EqualFold(textOf(n, "publisher"), "Microsoft.Azure.KeyVault") || lookup(settings, "secretsManagementSettings").Node != nil
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
