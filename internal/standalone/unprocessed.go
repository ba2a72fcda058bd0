package standalone

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// unprocessedAnnotation are the names of the certificates that have not been processed as their settings are now, separated by
// commas; absent where there is none.
const unprocessedAnnotation = "vaultpane.dev/unprocessed"

// Unprocessed returns the certificates of a state that the agent has not processed as their settings are now. There may be no entry
// of them, or one of their earlier settings.
func Unprocessed(state *v1alpha1.NodeCertificateState) []string {
	if state.Annotations[unprocessedAnnotation] == "" {
		return nil
	}
	return strings.Split(state.Annotations[unprocessedAnnotation], ",")
}

// SetCertificates records which certificates there are.
func (s *State) SetCertificates(certificates []v1alpha1.ObservedCertificate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.unprocessed()
	s.certificates = certificates
	if !slices.Equal(before, s.unprocessed()) {
		s.signal()
	}
}

// unprocessed returns the names, in the certificates' order. The caller holds the lock.
func (s *State) unprocessed() []string {
	var names []string
	for i := range s.certificates {
		name := s.certificates[i].Name
		if unprocessed(&s.certificates[i], s.entries[name], s.reported[name]) {
			names = append(names, s.certificates[i].Name)
		}
	}
	return names
}

// unprocessed reports whether a certificate's entry is missing, an earlier agent's, or of its earlier settings. A failure is the newest
// there is.
func unprocessed(certificate *v1alpha1.ObservedCertificate, entry v1alpha1.CertificateEntry, reported bool) bool {
	return !reported || entry.Generation != certificate.Generation && entry.Reason == ""
}
