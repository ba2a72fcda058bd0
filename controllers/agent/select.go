package agent

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// selects reports whether an ObservedCertificate is for a node with these labels. No selector means every node.
func selects(certificate *v1alpha1.ObservedCertificate, node labels.Set) (bool, error) {
	selector, err := certificate.Spec.NodeSelector.AsSelector()
	if err != nil {
		return false, fmt.Errorf("reading the node selector of %s: %w", certificate.Name, err)
	}
	return selector.Matches(node), nil
}

// unsupported names what the spec asks for and this agent cannot do, empty for nothing. Such a certificate is reported and
// not installed: half of what was asked for could be worse than nothing.
func unsupported(spec v1alpha1.ObservedCertificateSpec) string {
	ref, store := storeRef(spec), strings.ToLower(spec.CertificateStoreName)
	switch {
	case store == "authroot" || store == "disallowed":
		return "certificateStoreName " + spec.CertificateStoreName + ", which belongs to Windows' own root update"
	case store == "root" && ref.Location == certstore.CurrentUser:
		return "certificateStoreName Root in CurrentUser, where Windows asks a person before it trusts a certificate; use LocalMachine"
	case ownName(store) != "":
		return "certificateStoreName " + spec.CertificateStoreName + ", which is a display name; the store's own name is " + ownName(store)
	case certstore.HoldsTrust(ref):
		return meaninglessForTrust(spec)
	}
	return ""
}

// meaninglessForTrust names the first field that is about a private key, which a store that holds trust never receives.
func meaninglessForTrust(spec v1alpha1.ObservedCertificateSpec) string {
	var field string
	switch {
	case spec.KeyExportable:
		field = "keyExportable: true"
	case len(spec.Accounts) > 0:
		field = "accounts"
	case spec.LinkOnRenewal:
		field = "linkOnRenewal: true"
	default:
		return ""
	}
	return field + " in the store " + spec.CertificateStoreName + ", which receives public certificates and never a private key"
}

// displayNames are names that Windows' tools show for stores, without what stands between words, each with the store's own
// name. The CRD refuses them; objects from before that would fill a store that no program reads.
// https://learn.microsoft.com/previous-versions/windows/it-pro/windows-server-2008-R2-and-2008/cc725751(v=ws.10) and
// https://learn.microsoft.com/dotnet/api/system.security.cryptography.x509certificates.storename
var displayNames = map[string]string{
	"personal":                             "MY",
	"intermediate":                         "CA",
	"intermediatecertificationauthorities": "CA",
	"certificateauthority":                 "CA",
	"trustedroot":                          "Root",
	"trustedrootcertificationauthorities":  "Root",
	"trustedpublishers":                    "TrustedPublisher",
	"otherpeople":                          "AddressBook",
	"enterprisetrust":                      "Trust",
	"clientauthenticationissuers":          "ClientAuthIssuer",
	"certificateenrollmentrequests":        "REQUEST",
	"smartcardtrustedroots":                "SmartCardRoot",
	// These differ from the store's own name by what stands between the words alone.
	"trustedpeople":    "TrustedPeople",
	"trustedpublisher": "TrustedPublisher",
	"trusteddevices":   "TrustedDevices",
	"webhosting":       "WebHosting",
}

// ownName returns the name of the store that a display name in small letters means, empty for what is none.
func ownName(display string) string {
	name := displayNames[strings.NewReplacer(" ", "", "-", "", "_", "", ".", "").Replace(display)]
	if strings.EqualFold(name, display) {
		return ""
	}
	return name
}

// storeRef returns the store that a spec names, in today's spelling.
func storeRef(spec v1alpha1.ObservedCertificateSpec) certstore.Ref {
	ref := certstore.Ref{Location: certstore.LocalMachine, Name: spec.CertificateStoreName}
	if ref.Name == "" {
		ref.Name = certstore.StoreMY
	}
	if strings.EqualFold(ref.Name, certstore.StoreMY) {
		ref.Name = certstore.StoreMY
	}
	if spec.CertificateStoreLocation == v1alpha1.CurrentUser || spec.CertificateStoreLocation == v1alpha1.CurrentUserPreview {
		ref.Location = certstore.CurrentUser
	}
	return ref
}
