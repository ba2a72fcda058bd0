package removal

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings"
)

// match finds the certificate of the same secret in the same store, with the same version or none.
func match(wanted v1alpha1.ObservedCertificate, all []v1alpha1.ObservedCertificate) *v1alpha1.ObservedCertificate {
	target := settings.Target(wanted)
	without := wanted.DeepCopy()
	if parts := strings.SplitN(strings.TrimPrefix(wanted.Spec.URL, "https://"), "/", 4); len(parts) == 4 {
		without.Spec.URL = strings.TrimSuffix(wanted.Spec.URL, "/"+parts[3])
	}
	for _, candidate := range []string{target, settings.Target(*without)} {
		for i := range all {
			if settings.Target(normalized(all[i])) == candidate {
				return &all[i]
			}
		}
	}
	return nil
}

// normalized has the current spelling of the location.
func normalized(certificate v1alpha1.ObservedCertificate) v1alpha1.ObservedCertificate {
	switch certificate.Spec.CertificateStoreLocation {
	case v1alpha1.LocalMachinePreview:
		certificate.Spec.CertificateStoreLocation = v1alpha1.LocalMachine
	case v1alpha1.CurrentUserPreview:
		certificate.Spec.CertificateStoreLocation = v1alpha1.CurrentUser
	default:
	}
	return certificate
}

// lacking says what the extension grants and the ObservedCertificate does not, empty if nothing.
func lacking(wanted, have v1alpha1.ObservedCertificateSpec) string {
	var missing []string
	for _, account := range wanted.Accounts {
		if !slices.ContainsFunc(have.Accounts, func(other string) bool { return strings.EqualFold(other, account) }) {
			missing = append(missing, account)
		}
	}
	if len(missing) > 0 {
		return "does not let " + strings.Join(missing, ", ") + " read the key, as the extension does"
	}
	return ""
}
