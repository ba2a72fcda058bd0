package startuptaint

import (
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
)

// records are kept of nodes that have the taint or just lost it. A restart loses them, which repeats at most one event per node.
// They are safe for concurrent use; each node is handled by one worker at a time.
type records struct {
	mu     sync.Mutex
	byName map[string]record
}

// record is kept of one node.
type record struct {
	uid  types.UID
	left string // the node's resource version after we removed the taint; empty before
	wait waitRecord
}

// of returns the record of a node, an empty one for another node of the same name.
func (m *records) of(node *corev1.Node) record {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.byName[node.Name]; known.uid == node.UID {
		return known
	}
	return record{uid: node.UID}
}

func (m *records) put(node *corev1.Node, known record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byName == nil {
		m.byName = map[string]record{}
	}
	known.uid = node.UID
	m.byName[node.Name] = known
}

func (m *records) forget(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.byName, name)
}

// isNewerThan reports whether our removal produced a newer version of the node than this one. In doubt it returns false: the
// patch tests what was read, so a second attempt does no harm.
func (n record) isNewerThan(node *corev1.Node) bool {
	order, err := resourceversion.CompareResourceVersion(node.ResourceVersion, n.left)
	return n.left != "" && err == nil && order < 0
}
