package rollup

import (
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// index knows how each node stands with each certificate. It is computed from what the cache has at the moment, never from
// what an event said, so that a missed or repeated event does no harm. The work of a change grows with the changed object:
// a node's report costs a look at each certificate, a spec's change a look at each node.
type index struct {
	agents labels.Selector // nodes that run the agent by their labels

	mu           sync.Mutex
	nodes        map[string]*node
	certificates map[string]*certificate
	arrivals     uint64
	// complete is set when the index has all there is: what comes from then on is new.
	complete bool
}

func newIndex(agents labels.Selector) *index {
	return &index{agents: agents, nodes: map[string]*node{}, certificates: map[string]*certificate{}}
}

// observeNode takes in what is known about a node, and returns the certificates whose picture it changes.
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

// placeNode puts a node where it stands with each certificate. One that selects no node tells what nodes there are, so a node
// that comes, goes or gets other labels changes its picture too.
func (x *index) placeNode(n, before *node, now time.Time) []string {
	var changed []string
	n.runs, n.changes = n.runsAgent(now)
	other := n.runs != before.runs || !maps.Equal(n.labels, before.labels)
	for name, c := range x.certificates {
		if x.place(c, n, now) || c.saysOther(before, n) || other && len(c.nodes) == 0 {
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

// observeCertificate takes in an ObservedCertificate. One that was made anew under its name starts anew.
func (x *index) observeCertificate(w wish, now time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c, known := x.certificates[w.name]
	if known && c.wish.same(w) {
		return
	}
	if !known || c.wish.uid != w.uid {
		c = &certificate{nodes: map[*node]*group{}, groups: map[standing]*group{}, versions: map[held]*lineage{}}
		x.certificates[w.name] = c
	}
	c.wish = w
	for _, n := range x.nodes {
		x.place(c, n, now)
	}
}

func (x *index) forgetCertificate(name string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.certificates, name)
}

// tick takes in that time has passed, and returns the certificates whose picture that changes.
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
			c.changes = time.Time{} // until it is summarized again
			changed = append(changed, name)
		}
	}
	return changed
}

// place puts a node where it stands now, and reports whether that is elsewhere than before.
func (x *index) place(c *certificate, n *node, now time.Time) bool {
	before := c.nodes[n]
	after, changes, ok := judge(n, &c.wish, now)
	n.changes = earliest(n.changes, changes)
	if !ok {
		if before != nil {
			c.remove(n)
		}
		return before != nil
	}
	if before != nil && before.standing == after {
		return false
	}
	from := held{}
	if before != nil {
		from = before.held
	}
	x.noteArrival(c, from, after)
	c.add(n, after)
	if before != nil {
		c.leave(before)
	}
	return true
}

// noteArrival remembers the order in which versions came: a node moves only to what the vault says is the newest, and a node
// that has none gets that.
func (x *index) noteArrival(c *certificate, from held, to standing) {
	v := c.versions[to.held]
	moved := from != (held{}) && from != to.held
	first := v == nil && x.complete
	if to.phase != installed || to.held == (held{}) || !moved && !first || v != nil && v.arrived > 0 {
		return
	}
	if v == nil {
		v = &lineage{}
		c.versions[to.held] = v
	}
	x.arrivals++
	v.arrived = x.arrivals
}

// loaded says that the index has all there is.
func (x *index) loaded() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.complete = true
}

// picture returns all that a certificate's status is computed from.
func (x *index) picture(name string, soon time.Duration, now time.Time) (wish, summary, named, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c, known := x.certificates[name]
	if !known {
		return wish{}, summary{}, named{}, false
	}
	s := c.summarize(soon, now)
	if s.matched == 0 {
		s.agents, s.strangers = x.others(&c.wish)
	}
	c.changes = c.nextChange(soon, now)
	return c.wish, s, c.name(s, soon, now), true
}
