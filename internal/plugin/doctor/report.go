package doctor

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// reportOf returns what is kept of a state: all entries, or those that have a reason or expire soon. Of those, only the first with a
// reason keeps its message, as an example: a fleet in which everything fails would have hundreds of megabytes of them.
func (s *Snapshot) reportOf(state *v1alpha1.NodeCertificateState, all bool, examples map[groupKey]bool) Report {
	report := Report{Name: state.Name, AgentVersion: state.AgentVersion, NodeUID: types.UID(state.NodeUID), Omitted: state.Omitted}
	for _, entry := range state.Certificates {
		expires := entry.NotAfter != nil && entry.NotAfter.Sub(s.Server) <= s.soon()
		if all || expires || entry.Reason != "" || entry.State != v1alpha1.StateInstalled {
			report.Entries = append(report.Entries, entry)
			if kept := &report.Entries[len(report.Entries)-1]; !all {
				shorten(kept, examples)
			}
		}
	}
	return report
}

// shorten removes what no check needs of an entry.
func shorten(entry *v1alpha1.CertificateEntry, examples map[groupKey]bool) {
	entry.Version, entry.Thumbprint, entry.RequestedAt, entry.Since = "", "", "", nil
	if key := keyOf(entry); examples[key] {
		entry.Message = ""
	} else {
		examples[key] = true
	}
}

// Only limits a snapshot to one node, and to the certificates that select it. It reports false if there is no such node.
func (s *Snapshot) Only(node string) bool {
	at := indexByName(s.Nodes, node)
	if at < 0 {
		return false
	}
	s.Node, s.Nodes = node, s.Nodes[at:at+1]
	s.Reports = keep(s.Reports, func(report Report) bool { return report.Name == node })
	s.Pods = keep(s.Pods, podOn(node))
	s.Certificates = keep(s.Certificates, func(certificate v1alpha1.ObservedCertificate) bool {
		with, without := s.selectedBy(&certificate)
		return with+without > 0
	})
	s.Events = keep(s.Events, eventAbout(node, s.Pods))
	return true
}
