package startuptaint

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// memory is what is remembered of nodes that have the taint or just lost it, by name. It is lost with the process, which
// costs at most an event that was written before. It is safe for concurrent use; one node has one worker at a time.
type memory struct {
	mu    sync.Mutex
	notes map[string]note
}

// note is what is remembered of one node.
type note struct {
	uid  types.UID
	left string // the node's resource version after we removed the taint; empty before
	told told
}

// of returns what is remembered of a node, nothing for another one of the same name.
func (m *memory) of(node *corev1.Node) note {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.notes[node.Name]; known.uid == node.UID {
		return known
	}
	return note{uid: node.UID}
}

func (m *memory) put(node *corev1.Node, known note) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.notes == nil {
		m.notes = map[string]note{}
	}
	known.uid = node.UID
	m.notes[node.Name] = known
}

func (m *memory) forget(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.notes, name)
}

// isNewerThan tells whether our removal made a later version of the node than this one. In doubt it says no: the patch tests
// what it saw, so a second try does no harm.
func (n note) isNewerThan(node *corev1.Node) bool {
	order, err := resourceversion.CompareResourceVersion(node.ResourceVersion, n.left)
	return n.left != "" && err == nil && order < 0
}
