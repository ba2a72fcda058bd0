package rollup

import (
	"time"
)

// certificate is one certificate over all nodes.
type certificate struct {
	wish   wish
	nodes  map[*node]*group
	groups map[standing]*group
	// versions are the certificates that nodes have, with the order in which they came.
	versions map[held]*lineage
	// changes is when time alone changes the status, zero for never.
	changes time.Time
}

// group counts the nodes that stand the same.
type group struct {
	standing
	count int
}

// lineage is one version of a certificate: how many nodes have it, and its place in the order in which versions came; 0 where
// that was not seen.
type lineage struct {
	count   int
	arrived uint64
	synced  int // nodes that have it and whose polls succeed
}

func (c *certificate) add(n *node, s standing) {
	g := c.groups[s]
	if g == nil {
		g = &group{standing: s}
		c.groups[s] = g
	}
	g.count++
	c.nodes[n] = g
	if s.held == (held{}) {
		return
	}
	v := c.versions[s.held]
	if v == nil {
		v = &lineage{}
		c.versions[s.held] = v
	}
	v.count++
	if s.synced() {
		v.synced++
	}
}

// synced reports whether a node has a certificate as the spec wants it, and its polls succeed.
func (s standing) synced() bool { return s.phase == installed && s.sync == "" }

func (c *certificate) remove(n *node) {
	g := c.nodes[n]
	delete(c.nodes, n)
	c.leave(g)
}

// leave takes one node out of a group. A node that goes over to another group enters that first: the last one of a version
// would take the version's place in the order with it.
func (c *certificate) leave(g *group) {
	if g.count--; g.count == 0 {
		delete(c.groups, g.standing)
	}
	if v := c.versions[g.held]; v != nil {
		if g.synced() {
			v.synced--
		}
		if v.count--; v.count == 0 {
			delete(c.versions, g.held)
		}
	}
}

// saysOther reports whether a node that has something to tell has another message than before.
func (c *certificate) saysOther(before, after *node) bool {
	g := c.nodes[after]
	if g == nil || g.phase == installed && g.sync == "" && !g.declined {
		return false
	}
	old, _ := before.entry(c.wish.name)
	now, _ := after.entry(c.wish.name)
	return old.Message != now.Message
}
