package report

import (
	"cmp"
	"slices"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Summarize says of a node's entries how many are not well, and which is the worst. An entry whose reason is no failure counts
// only where there is nothing worse, and not as failing: one that is suspended, not handled yet, or whose link was declined.
func Summarize(entries []v1alpha1.CertificateEntry) *v1alpha1.NodeSummary {
	summary := &v1alpha1.NodeSummary{}
	var worst *v1alpha1.CertificateEntry
	for i := range entries {
		entry := &entries[i]
		if fails(entry) {
			summary.Failing++
		}
		if entry.Reason != "" && (worst == nil || compareTrouble(entry, worst) < 0) {
			worst = entry
		}
	}
	if worst != nil {
		summary.Reason, summary.Certificate = worst.Reason, worst.Name
	}
	return summary
}

func fails(entry *v1alpha1.CertificateEntry) bool {
	return entry.State == v1alpha1.StateFailed || entry.Reason != "" && entry.Reason.Class() != v1alpha1.ClassNone
}

// compareTrouble puts first what fails, and of that what matters most.
func compareTrouble(a, b *v1alpha1.CertificateEntry) int {
	rank := func(entry *v1alpha1.CertificateEntry) int { return slices.Index([]bool{true, false}, fails(entry)) }
	return cmp.Or(cmp.Compare(rank(a), rank(b)), compareWeight(*a, *b))
}
