package settings

import (
	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings/extension"
)

// Certificate completes an entry of the extension's settings with the CRD's defaults and checks it by the CRD's rules. The
// certificate has no name. path is for messages only.
func (r *Reader) Certificate(path string, entry extension.Entry) (v1alpha1.ObservedCertificate, Problems) {
	s := &session{schema: r.schema, path: path}
	s.entry(entry)
	if len(s.problems) > 0 {
		return v1alpha1.ObservedCertificate{}, inOrder(s.problems)
	}
	return s.placed[0].object, nil
}

// Name names certificates of the extension's settings after their secrets, as Combine does, in their order. No two may be the same
// secret in the same store.
func Name(certificates []v1alpha1.ObservedCertificate) {
	taken := map[string]bool{}
	for i := range certificates {
		name := derivedName(certificates[i].Spec, taken)
		taken[name] = true
		certificates[i].Name = name
	}
}

// Target identifies what a certificate installs where: its URL without regard to case and :443, the store and its location.
func Target(certificate v1alpha1.ObservedCertificate) string {
	return placed{object: certificate}.target()
}
