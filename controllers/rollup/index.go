package rollup

import (
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// index keeps the status of each node for each certificate. It is computed from the current objects in the cache, never from
// the content of an event, so a missed or repeated event has no effect. The cost of a change grows with the changed object: a
// node's report visits every certificate, and a spec's change visits every node.
type index struct {
	agents labels.Selector // selects the nodes that run the agent

	mu           sync.Mutex
	nodes        map[string]*node
	certificates map[string]*certificate
	lastOrder    uint64 // the highest version.order
	// complete is set once all existing objects were added: versions that appear later are new.
	complete bool
}

func newIndex(agents labels.Selector) *index {
	return &index{agents: agents, nodes: map[string]*node{}, certificates: map[string]*certificate{}}
}

// observeNode records the facts about a node, and returns the certificates whose status may change.
func (x *index) observeNode(name string, f facts, now time.Time) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	if f.node == nil || !f.node.DeletionTimestamp.IsZero() {
		return x.forgetNode(name)
	}
	n, known := x.nodes[name]
	if !known {
		n = &node{name: name}
		x.nodes[name] = n
	}
	before := *n
	n.read(f, x.agents, now)
	return x.placeNode(n, &before, now)
}

// placeNode updates the node's status for each certificate. The status of a certificate that selects no node counts other
// nodes, so it may change whenever a node is added, deleted or relabelled.
func (x *index) placeNode(n, before *node, now time.Time) []string {
	var changed []string
	n.runs, n.changes = n.runsAgent(now)
	relabelled := n.runs != before.runs || !maps.Equal(n.labels, before.labels)
	for name, c := range x.certificates {
		if x.place(c, n, now) || c.messageChanged(before, n) || relabelled && len(c.nodes) == 0 {
			changed = append(changed, name)
		}
	}
	return changed
}

func (x *index) forgetNode(name string) []string {
	n, known := x.nodes[name]
	if !known {
		return nil
	}
	delete(x.nodes, name)
	var changed []string
	for name, c := range x.certificates {
		matched := c.nodes[n] != nil
		if matched {
			c.remove(n)
		}
		if matched || len(c.nodes) == 0 {
			changed = append(changed, name)
		}
	}
	return changed
}

// observeCertificate records an ObservedCertificate. One that was deleted and created again under its name starts over.
func (x *index) observeCertificate(w desired, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c, known := x.certificates[w.name]
	if known && c.desired.same(w) {
		return
	}
	if !known || c.desired.uid != w.uid {
		c = &certificate{nodes: map[*node]*group{}, groups: map[nodeStatus]*group{}, versions: map[held]*version{}}
		x.certificates[w.name] = c
	}
	c.desired = w
	for _, n := range x.nodes {
		x.place(c, n, now)
	}
}

func (x *index) forgetCertificate(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.certificates, name)
}

// tick applies the changes that time alone causes, and returns the certificates whose status may change.
func (x *index) tick(now time.Time) []string {
	x.mu.Lock()
	defer x.mu.Unlock()
	var changed []string
	for _, n := range x.nodes {
		if !n.changes.IsZero() && !now.Before(n.changes) {
			before := *n
			changed = append(changed, x.placeNode(n, &before, now)...)
		}
	}
	for name, c := range x.certificates {
		if !c.changes.IsZero() && !now.Before(c.changes) {
			c.changes = time.Time{} // until the next snapshot
			changed = append(changed, name)
		}
	}
	return changed
}

// place updates the node's status for a certificate, and reports whether it changed.
func (x *index) place(c *certificate, n *node, now time.Time) bool {
	before := c.nodes[n]
	after, changes, ok := evaluate(n, &c.desired, now)
	n.changes = earliest(n.changes, changes)
	if !ok {
		if before != nil {
			c.remove(n)
		}
		return before != nil
	}
	if before != nil && before.nodeStatus == after {
		return false
	}
	from := held{}
	if before != nil {
		from = before.held
	}
	x.recordOrder(c, from, after)
	c.add(n, after)
	if before != nil {
		c.removeFrom(before)
	}
	return true
}

// recordOrder records the order in which versions appear: a node only ever changes to the version that the vault returns as the
// newest, and a node without a certificate gets that version too.
func (x *index) recordOrder(c *certificate, from held, to nodeStatus) {
	v := c.versions[to.held]
	changed := from != (held{}) && from != to.held
	first := v == nil && x.complete
	if to.phase != installed || to.held == (held{}) || !changed && !first || v != nil && v.order > 0 {
		return
	}
	if v == nil {
		v = &version{}
		c.versions[to.held] = v
	}
	x.lastOrder++
	v.order = x.lastOrder
}

// markComplete records that all existing objects were added.
func (x *index) markComplete() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.complete = true
}

// publish records the version that nodes should have, empty where the version watch does not say, and the last wave that may have
// it.
func (x *index) publish(name, latest string, wave int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c, known := x.certificates[name]; known {
		c.latest, c.wave = latest, wave
	}
}

// wakeAt has a certificate's status computed again at a time.
func (x *index) wakeAt(name string, at time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c, known := x.certificates[name]; known {
		c.changes = earliest(c.changes, at)
	}
}

// snapshot returns all that the status of a certificate is computed from.
func (x *index) snapshot(name string, expiringSoon time.Duration, now time.Time) (desired, summary, namedNodes, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c, known := x.certificates[name]
	if !known {
		return desired{}, summary{}, namedNodes{}, false
	}
	s := c.summarize(expiringSoon, now)
	if s.matched == 0 {
		s.agents, s.withoutAgent = x.countOthers(&c.desired)
	}
	c.changes = c.nextChange(expiringSoon, now)
	return c.desired, s, c.nameNodes(s, expiringSoon, now), true
}

// countOthers counts, for a certificate that selects no node, the nodes that run the agent, and the nodes that match the
// selector and do not run it.
func (x *index) countOthers(w *desired) (agents, withoutAgent int) {
	for _, n := range x.nodes {
		switch {
		case n.runs:
			agents++
		case w.selector.Matches(n.labels):
			withoutAgent++
		}
	}
	return agents, withoutAgent
}

// agentCount returns how many agents watch.
func (x *index) agentCount(now time.Time) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	count := 0
	for _, n := range x.nodes {
		if runs, _ := n.runsAgent(now); runs {
			count++
		}
	}
	return count
}
