package plan

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// sharingRemarks compare a certificate with the others, of the cluster and of the files, that install the same secret into the same
// store of a node.
func (s *State) sharingRemarks(wanted *Wanted, all []Wanted) []Remark {
	var remarks []Remark
	for i := range s.Certificates {
		other := &s.Certificates[i]
		replaced := slices.ContainsFunc(all, func(one Wanted) bool { return one.Name == other.Name })
		if !replaced {
			remarks = append(remarks, s.compare(wanted, other, "")...)
		}
	}
	for i := range all {
		if all[i].Name != wanted.Name {
			remarks = append(remarks, s.compare(wanted, &all[i], " of these files")...)
		}
	}
	return remarks
}

// compare returns what is to be known of two certificates.
func (s *State) compare(wanted *Wanted, other *v1alpha1.ObservedCertificate, where string) []Remark {
	mine, err := keyvault.ParseURL(wanted.Spec.URL)
	theirs, otherErr := keyvault.ParseURL(other.Spec.URL)
	same := err == nil && otherErr == nil && mine.Authority() == theirs.Authority() && strings.EqualFold(mine.Name, theirs.Name)
	if !same || !s.common(&wanted.Spec, &other.Spec) || locationOf(&wanted.Spec) != locationOf(&other.Spec) {
		return nil
	}
	sameStore := strings.EqualFold(wanted.Spec.CertificateStoreName, other.Spec.CertificateStoreName)
	name, show := other.Name+where, "kubectl get obscert "+other.Name+" -o yaml"
	if where != "" {
		show = "" // the cluster does not have it, or has another spec
	}
	if other.Status.Thumbprint != "" {
		name += " (thumbprint " + other.Status.Thumbprint + ")"
	}
	switch {
	case mine.Version != theirs.Version && sameStore:
		return []Remark{remark(Note, "%s installs another version of the same secret into %s: a node gets both", name, storeOf(&wanted.Spec))}
	case mine.Version != theirs.Version || holdsTrust(&wanted.Spec) || holdsTrust(&other.Spec):
		return nil
	case sameStore && keyOptions(&wanted.Spec) != keyOptions(&other.Spec):
		return []Remark{remark(Conflict, "%s installs the same certificate with other key options (%s, here %s): the older of the two wins, and the other has the reason %s",
			name, keyOptions(&other.Spec), keyOptions(&wanted.Spec), v1alpha1.ReasonConflict).do("Give both the same key options, or remove one.", show)}
	case sameStore:
		return []Remark{remark(Note, "%s installs the same certificate into %s: they share it, and the accounts of both get access", name, storeOf(&wanted.Spec))}
	}
	return nil
}

// keyOptions are the options that a key has once for all who use it.
func keyOptions(spec *v1alpha1.ObservedCertificateSpec) string {
	options := "keyExportable false"
	if spec.KeyExportable {
		options = "keyExportable true"
	}
	if spec.KeyStorageProvider != "" {
		options += ", keyStorageProvider " + string(spec.KeyStorageProvider)
	}
	return options
}

func holdsTrust(spec *v1alpha1.ObservedCertificateSpec) bool {
	return certstore.HoldsTrust(certstore.Ref{Name: spec.CertificateStoreName, Location: certstore.LocalMachine})
}

// locationOf returns a store's location in today's spelling.
func locationOf(spec *v1alpha1.ObservedCertificateSpec) v1alpha1.StoreLocation {
	switch spec.CertificateStoreLocation {
	case v1alpha1.CurrentUser, v1alpha1.CurrentUserPreview:
		return v1alpha1.CurrentUser
	default:
		return v1alpha1.LocalMachine
	}
}

func storeOf(spec *v1alpha1.ObservedCertificateSpec) string {
	name := spec.CertificateStoreName
	if name == "" {
		name = "MY"
	}
	return string(locationOf(spec)) + `\` + name
}
