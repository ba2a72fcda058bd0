package rollup

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

// Letters of nodeStatus.uses, which must be comparable.
const (
	letterBound   = 'b'
	letterPending = 'p'
	letterFailed  = 'f'
)

// useLetters returns a letter for each use that a node reported.
func useLetters(uses []v1alpha1.UseState) string {
	letters := make([]byte, len(uses))
	for i, use := range uses {
		switch use.State {
		case v1alpha1.UseBound:
			letters[i] = letterBound
		case v1alpha1.UseFailed:
			letters[i] = letterFailed
		case v1alpha1.UsePending:
			letters[i] = letterPending
		}
	}
	return string(letters)
}

// usesFailed reports whether a program of the node does not use the certificate.
func (s nodeStatus) usesFailed() bool { return strings.ContainsRune(s.uses, letterFailed) }

// useNames returns the names of the entries of spec.usedBy.
func useNames(certificate *v1alpha1.ObservedCertificate) []string {
	var names []string
	for _, use := range usedby.Of(certificate) {
		names = append(names, use.String())
	}
	return names
}

// emptyUses returns a place for the counts of each entry.
func emptyUses(names []string) []v1alpha1.UseCounts {
	var counts []v1alpha1.UseCounts
	for _, name := range names {
		counts = append(counts, v1alpha1.UseCounts{Name: name})
	}
	return counts
}

// countUses counts nodes in each entry. A program of a node that has another version than it should have is not finished, and so is
// one of a node that has not reported the current spec.
func (s *summary) countUses(at nodeStatus, nodes int) {
	if at.usesFailed() {
		s.useFailed += nodes
	}
	for i := range s.uses {
		counts, letter := &s.uses[i], byte(letterPending)
		if i < len(at.uses) {
			letter = at.uses[i]
		}
		switch {
		case letter == letterFailed:
			counts.Failed += int32(nodes) //nolint:gosec // G115: a number of nodes
		case letter == letterBound && at.phase == installed:
			counts.Bound += int32(nodes) //nolint:gosec // G115: as above
		default:
			counts.Pending += int32(nodes) //nolint:gosec // G115: as above
		}
	}
}

// failedUse returns the condition UseFailed: a program does not use the current version.
func (s summary) failedUse(named []v1alpha1.NodeFailure) metav1.Condition {
	if s.useFailed == 0 || len(named) == 0 {
		return metav1.Condition{
			Type: v1alpha1.ConditionUseFailed, Status: metav1.ConditionFalse, Reason: reasonNoneFailed, Message: "no entry of spec.usedBy failed",
		}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionUseFailed, Status: metav1.ConditionTrue, Reason: string(v1alpha1.ReasonUseFailed),
		Message: fmt.Sprintf("a program does not use the certificate on %d of %s; %s", s.useFailed, nodes(s.matched), onNodes(named, s.useFailed)),
	}
}
