package status

import (
	"sync"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Reported is what one agent reported of the certificates that are wanted.
type Reported struct {
	// AgentVersion is the agent's.
	AgentVersion string
	// Certificates are by name.
	Certificates map[string]v1alpha1.CertificateEntry
	// Omitted is how many certificates the agent left out because its report would have become too large.
	Omitted int
}

// States collects what agents report of a few certificates, and forgets the rest of each report at once. It may be used by several
// goroutines, and follows NodeCertificateStates as a cluster.Follower.
type States struct {
	wanted  []string // certificates; empty for all
	changed func()
	mu      sync.Mutex
	nodes   map[string]Reported
	listing map[string]Reported // while a list is read
}

// NewStates returns an empty collection of these certificates, without names of all. changed is called after each change; it may be
// nil.
func NewStates(certificates []string, changed func()) *States {
	if changed == nil {
		changed = func() {}
	}
	return &States{wanted: certificates, changed: changed, nodes: map[string]Reported{}}
}

// Nodes returns a copy of what was reported, by node. Nodes that reported none of the certificates are among them.
func (s *States) Nodes() map[string]Reported {
	s.mu.Lock()
	defer s.mu.Unlock()
	nodes := make(map[string]Reported, len(s.nodes))
	for name, reported := range s.nodes {
		nodes[name] = reported
	}
	return nodes
}

// Begin starts a list.
func (s *States) Begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listing = map[string]Reported{}
}

// Set takes a report. One that cannot be read counts as one without certificates.
func (s *States) Set(state *NodeState) {
	reported := Reported{AgentVersion: truncate.Line(state.agentVersion, maxLine), Certificates: map[string]v1alpha1.CertificateEntry{}, Omitted: int(state.omitted.Certificates)}
	err := state.choose(s.wanted, func(entry v1alpha1.CertificateEntry) {
		entry.Message, entry.Reason = truncate.Line(entry.Message, maxLine), v1alpha1.Reason(truncate.Line(string(entry.Reason), maxLine))
		reported.Certificates[entry.Name] = entry
	})
	if err != nil {
		reported.Certificates = nil
	}
	s.put(state.name, reported)
}

func (s *States) put(node string, reported Reported) {
	s.mu.Lock()
	if s.listing != nil {
		s.listing[node] = reported
		s.mu.Unlock()
		return
	}
	s.nodes[node] = reported
	s.mu.Unlock()
	s.changed()
}

// Delete forgets a node.
func (s *States) Delete(state *NodeState) {
	s.mu.Lock()
	delete(s.nodes, state.name)
	s.mu.Unlock()
	s.changed()
}

// Listed ends a list: nodes that were not in it are gone.
func (s *States) Listed() {
	s.mu.Lock()
	s.nodes, s.listing = s.listing, nil
	s.mu.Unlock()
	s.changed()
}
