package engine

import (
	"crypto/rsa"
	"errors"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/engine/accounts"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/engine/origin"
)

// desired is what a spec asks of the store, as far as it is known without the vault.
type desired struct {
	certstore.Desired
	origin origin.Origin
	access accounts.Access
}

// desired expresses a spec in the terms of the store. The error says why this agent cannot act on it.
func (e *Engine) desired(t task) (desired, error) {
	spec := t.certificate.Spec
	what := unsupported(spec)
	if spec.Rollout != nil && e.Publications == nil {
		what = "rollout, whose waves a cluster's controller starts; leave it out"
	}
	if spec.ConfigMap != nil && e.ConfigMaps == nil {
		what = "configMap, since a machine without a cluster has no ConfigMaps; name a secret in Key Vault with url"
	}
	if what != "" {
		return desired{}, &failure.Unsupported{What: what}
	}
	from, err := origin.Of(spec, e.namespace())
	if err != nil {
		return desired{}, err
	}
	want := desired{origin: from, Desired: certstore.Desired{
		Ref: t.ref, RolledBack: t.published.RollbackFrom != "", HistoryLimit: spec.RevisionHistoryLimit, Link: spec.LinkOnRenewal,
		FriendlyName: t.certificate.Name + " (" + from.Short() + ")",
		Mark: certstore.Mark{
			Name: t.certificate.Name, UID: string(t.certificate.UID), Source: certstore.SourceOf(from.String()),
			DeletionPolicy: string(spec.DeletionPolicy), Role: certstore.RoleTrusted, Pinned: from.Pinned() != "",
		},
	}}
	if certstore.HoldsTrust(t.ref) {
		return want, nil
	}
	want.Mark.Role, want.Mark.Exportable, want.Mark.Provider = certstore.RoleLeaf, spec.KeyExportable, string(spec.KeyStorageProvider)
	want.access = e.accounts.Of(e.Machine, spec.Accounts, e.Now())
	want.Access, want.AccessIncomplete = want.access.List(t.ref.Location), !want.access.Settled
	var refused *certstore.Error
	if errors.As(want.access.Err, &refused) && refused.Unsupported {
		return desired{}, refused
	}
	return want, nil
}

// namespace returns that of the ConfigMaps, empty without a cluster.
func (e *Engine) namespace() string {
	if e.ConfigMaps == nil {
		return ""
	}
	return e.ConfigMaps.Namespace()
}

// with completes what is desired with what the vault returned.
func (d desired) with(got *fetched) (desired, error) {
	d.Bundle, d.Mark.Version, d.Mark.Created = got.bundle, got.version, got.created
	if d.Mark.Role == certstore.RoleTrusted {
		var err error
		d.Trusted, err = certstore.Trusted(d.Ref, got.bundle)
		return d, err
	}
	if got.bundle.FriendlyName != "" {
		d.FriendlyName = got.bundle.FriendlyName
	}
	if d.Mark.Provider == "" {
		d.Mark.Provider = string(providerOf(got.bundle))
	}
	return d, got.bundle.RequireKey()
}

// providerOf returns the key storage provider where the spec leaves it open: the one that the PFX names, else CNG, as
// PKCS12_PREFER_CNG_KSP does it, which the extension uses.
func providerOf(secret *bundle.Bundle) v1alpha1.KeyStorageProvider {
	if _, isRSA := secret.Key.(*rsa.PrivateKey); isRSA && bundle.CAPIProvider(secret.ProviderName) {
		return v1alpha1.ProviderCAPI
	}
	return v1alpha1.ProviderCNG
}

// unsupported names what the spec asks for and this agent cannot do, empty for nothing. Such a certificate is reported and
// not installed: half of what was asked for could be worse than nothing.
func unsupported(spec v1alpha1.ObservedCertificateSpec) string {
	ref, store := storeRef(spec), strings.ToLower(spec.CertificateStoreName)
	switch {
	case store == "authroot" || store == "disallowed":
		return "certificateStoreName " + spec.CertificateStoreName + ", which belongs to Windows' own root update"
	case store == "root" && ref.Location == certstore.CurrentUser:
		return "certificateStoreName Root in CurrentUser, where Windows asks the user for confirmation before it trusts a certificate; use LocalMachine"
	case ownName(store) != "":
		return "certificateStoreName " + spec.CertificateStoreName + ", which is a display name; the store's own name is " + ownName(store)
	case certstore.HoldsTrust(ref):
		return meaninglessForTrust(spec)
	case spec.ConfigMap != nil:
		return "configMap in the store " + ref.Name + ", which receives certificates with their keys; name a secret in Key Vault with url, or the store Root, CA, TrustedPeople or TrustedPublisher"
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

// displayNames are names that Windows' tools show for stores, without separators, each with the store's own name. The CRD
// refuses them; objects from before that would fill a store that no program reads.
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

// ownName returns the name of the store that a display name in lower case means, empty if it is not one.
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
