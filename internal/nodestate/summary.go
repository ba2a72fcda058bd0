package nodestate

import (
	"cmp"
	"slices"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Summarize counts the failing entries of a node, and names the worst. An entry whose reason is not a failure (suspended, not yet
// processed, or with a declined link) is named only where there is no worse one, and does not count as failing.
func Summarize(entries []v1alpha1.CertificateEntry) *v1alpha1.NodeSummary {
	summary := &v1alpha1.NodeSummary{}
	var worst *v1alpha1.CertificateEntry
	for i := range entries {
		entry := &entries[i]
		if Fails(entry) {
			summary.Failing++
		}
		if entry.Reason != "" && (worst == nil || compareSeverity(entry, worst) < 0) {
			worst = entry
		}
	}
	if worst != nil {
		summary.Reason, summary.Certificate = worst.Reason, worst.Name
	}
	return summary
}

// Fails reports whether an entry says that something is wrong: the certificate is failed or pending, or its polls fail.
func Fails(entry *v1alpha1.CertificateEntry) bool {
	return entry.State == v1alpha1.StateFailed || entry.Reason != "" && entry.Reason.Class() != v1alpha1.ClassNone
}

// compareSeverity sorts failing entries first, and the most important of them before the others.
func compareSeverity(a, b *v1alpha1.CertificateEntry) int {
	rank := func(entry *v1alpha1.CertificateEntry) int { return slices.Index([]bool{true, false}, Fails(entry)) }
	return cmp.Or(cmp.Compare(rank(a), rank(b)), compareWeight(*a, *b))
}
