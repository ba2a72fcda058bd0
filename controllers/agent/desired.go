package agent

import (
	"crypto/rsa"
	"errors"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// wanted is what a spec asks of the store, as far as it is known without the vault.
type wanted struct {
	certstore.Desired
	url     keyvault.SecretURL
	access  access
	problem error // about accounts that are not known: the certificate is installed all the same
}

// want puts the spec into the store's words. The error says why the agent cannot act on it.
func (r *Reconciler) want(certificate *v1alpha1.ObservedCertificate, ref certstore.Ref) (*wanted, error) {
	spec := certificate.Spec
	url, err := usable(spec)
	if err != nil {
		return nil, err
	}
	w := &wanted{url: url, Desired: certstore.Desired{
		Ref: ref, HistoryLimit: spec.RevisionHistoryLimit, Link: spec.LinkOnRenewal,
		FriendlyName: certificate.Name + " (" + url.Authority() + ")",
		Mark: certstore.Mark{
			Name: certificate.Name, UID: string(certificate.UID), Source: certstore.SourceOf(url.String()),
			DeletionPolicy: string(spec.DeletionPolicy), Role: certstore.RoleTrusted, Pinned: url.Version != "",
		},
	}}
	if certstore.HoldsTrust(ref) {
		return w, nil
	}
	w.Mark.Role, w.Mark.Exportable, w.Mark.Provider = certstore.RoleLeaf, spec.KeyExportable, string(spec.KeyStorageProvider)
	w.access = r.accounts.accessFor(r.Machine, spec.Accounts, r.Now())
	w.Access, w.AccessIncomplete, w.problem = w.access.list(ref.Location), !w.access.settled, w.access.problem
	var refused *certstore.Error
	if errors.As(w.problem, &refused) && refused.Unsupported {
		return nil, refused
	}
	return w, nil
}

// take completes what is wanted with what the vault gave.
func (w *wanted) take(got *fetched) error {
	w.Bundle, w.Mark.Version, w.Mark.Created = got.bundle, got.version, got.created
	if w.Mark.Role == certstore.RoleTrusted {
		var err error
		w.Trusted, err = certstore.Trusted(w.Ref, got.bundle)
		return err
	}
	if got.bundle.FriendlyName != "" {
		w.FriendlyName = got.bundle.FriendlyName
	}
	if w.Mark.Provider == "" {
		w.Mark.Provider = string(providerOf(got.bundle))
	}
	return got.bundle.RequireKey()
}

// providerOf returns the key storage provider where the spec leaves it open: the one that the PFX names, else CNG, as
// PKCS12_PREFER_CNG_KSP does it, which the extension uses.
func providerOf(secret *bundle.Bundle) v1alpha1.KeyStorageProvider {
	if _, isRSA := secret.Key.(*rsa.PrivateKey); isRSA && bundle.CAPIProvider(secret.ProviderName) {
		return v1alpha1.ProviderCAPI
	}
	return v1alpha1.ProviderCNG
}
