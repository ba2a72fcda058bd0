package certstore

import (
	"cmp"
	"crypto/x509"
)

// version is what tells a certificate from other versions of the same secret.
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

// compareVersions returns a positive number where a is the newer of two versions of a secret, 0 where that is not known. The
// vault's order decides; only where it is not known, the start of the validity does, which a certificate that is issued again
// on the same day may have in common with the one before.
func compareVersions(a, b version) int {
	if a.created != b.created {
		return cmp.Compare(a.created, b.created) // one that has no time was installed before marks had it
	}
	return a.certificate.NotBefore.Compare(b.certificate.NotBefore)
}

// CompareVersions returns a positive number where a is the newer of two certificates of one ObservedCertificate, a negative one
// where b is, and 0 where that is not known.
func CompareVersions(a, b Entry) int { return compareVersions(versionOf(a), versionOf(b)) }
