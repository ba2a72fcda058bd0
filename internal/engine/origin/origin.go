// Package origin is about where a certificate comes from: a secret in Key Vault, or a key of a ConfigMap.
package origin

import (
	"fmt"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// Origin is where a certificate comes from. Its zero value is no origin.
type Origin struct {
	// Secret is the URL of a secret in Key Vault; zero where the certificate comes from a ConfigMap.
	Secret keyvault.SecretURL
	// ConfigMap is the key of a ConfigMap, and Namespace its namespace; nil where the certificate comes from Key Vault.
	ConfigMap *v1alpha1.ConfigMapKey
	Namespace string
}

// Of returns the origin that a spec names. namespace is that of the ConfigMaps. The error says that spec.url cannot be read.
func Of(spec v1alpha1.ObservedCertificateSpec, namespace string) (Origin, error) {
	if spec.ConfigMap != nil {
		return Origin{ConfigMap: spec.ConfigMap, Namespace: namespace}, nil
	}
	secret, err := keyvault.ParseURL(spec.URL)
	if err != nil {
		return Origin{}, fmt.Errorf("reading spec.url: %w", err)
	}
	return Origin{Secret: secret}, nil
}

// String returns the origin in its shortest form. Marks in stores and polling slots derive from it, so it must never change.
func (o Origin) String() string {
	if o.ConfigMap != nil {
		return "configmap/" + o.Namespace + "/" + o.ConfigMap.Name + "/" + o.ConfigMap.Key
	}
	return o.Secret.String()
}

// Short names the origin for people, as in the friendly name of a certificate: the vault, or the ConfigMap.
func (o Origin) Short() string {
	if o.ConfigMap != nil {
		return "configmap/" + o.ConfigMap.Name
	}
	return o.Secret.Authority()
}

// Pinned returns the version that the origin names, empty where it follows the newest.
func (o Origin) Pinned() string { return o.Secret.Version }

// Remedy says how an expired certificate is replaced.
func (o Origin) Remedy() string {
	switch {
	case o.ConfigMap != nil:
		return "replace it in the ConfigMap"
	case o.Secret.Version != "":
		return "spec.url names this version, so a newer one is not installed: remove /" + o.Secret.Version + " from the URL to follow the newest, or name a newer one"
	}
	return "renew it in the vault"
}
