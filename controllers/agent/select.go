package agent

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
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
	case certstore.HoldsTrust(ref) && (len(spec.Accounts) > 0 || spec.KeyExportable || spec.LinkOnRenewal):
		return "accounts, keyExportable or linkOnRenewal in the store " + spec.CertificateStoreName + ", which holds public certificates and no private key"
	}
	return ""
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
