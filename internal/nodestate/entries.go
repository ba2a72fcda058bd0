// Package nodestate holds what is reported of one machine's certificates: the entries, since when each has its state, their summary,
// and how they fit into one object. The agent in a cluster writes them to the API, the agent without a cluster to a file.
package nodestate

import (
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Entries are the entries of a machine's certificates, by name. They are not safe for concurrent use.
type Entries map[string]v1alpha1.CertificateEntry

// Set records a certificate's entry and reports whether anything in it differs. Since is kept while state and reason stay the same.
func (e Entries) Set(entry v1alpha1.CertificateEntry, now time.Time) bool {
	entry.Message = truncate.Line(entry.Message, v1alpha1.MaxMessageLength)
	entry.Uses = slices.Clone(entry.Uses)
	for i := range entry.Uses {
		entry.Uses[i].Message = truncate.Line(entry.Uses[i].Message, v1alpha1.MaxMessageLength)
	}
	previous, known := e[entry.Name]
	if entry.State != v1alpha1.StateInstalled || entry.Reason != "" {
		since := metav1.NewTime(now.Truncate(time.Second))
		entry.Since = &since
		if known && previous.State == entry.State && previous.Reason == entry.Reason && previous.Since != nil {
			entry.Since = previous.Since
		}
	}
	if known && equality.Semantic.DeepEqual(previous, entry) {
		return false
	}
	e[entry.Name] = entry
	return true
}

// Drop removes a certificate's entry and reports whether there was one.
func (e Entries) Drop(name string) bool {
	_, known := e[name]
	delete(e, name)
	return known
}

// Names returns the certificates that have an entry.
func (e Entries) Names() []string {
	names := make([]string, 0, len(e))
	for name := range e {
		names = append(names, name)
	}
	return names
}

// Sorted returns a copy of the entries, by name.
func (e Entries) Sorted() []v1alpha1.CertificateEntry {
	sorted := make([]v1alpha1.CertificateEntry, 0, len(e))
	for _, entry := range e {
		sorted = append(sorted, entry)
	}
	slices.SortFunc(sorted, func(a, b v1alpha1.CertificateEntry) int { return strings.Compare(a.Name, b.Name) })
	return sorted
}
