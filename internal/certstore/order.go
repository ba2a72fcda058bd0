package certstore

import (
	"cmp"
	"crypto/x509"
)

// version is what orders a certificate among the versions of the same secret.
type version struct {
	certificate *x509.Certificate
	created     int64 // as in Mark
}

func versionOf(e Entry) version {
	if e.Mark == nil {
		return version{certificate: e.Certificate}
	}
	return version{e.Certificate, e.Mark.Created}
}

// compareVersions returns a positive number if a is the newer of two versions of a secret, 0 if that is not known. The creation
// time in the vault decides. Only if it is unknown, the start of validity does: a certificate that is issued again on the same
// day may have the same start.
func compareVersions(a, b version) int {
	if a.created != b.created {
		return cmp.Compare(a.created, b.created) // a mark without a time is older than the field
	}
	return a.certificate.NotBefore.Compare(b.certificate.NotBefore)
}

// CompareVersions returns a positive number if a is the newer of two certificates of one ObservedCertificate, a negative number
// if b is, and 0 if that is not known.
func CompareVersions(a, b Entry) int { return compareVersions(versionOf(a), versionOf(b)) }
