package rollup

import (
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

// certificate is one certificate on all nodes.
type certificate struct {
	desired desired
	nodes   map[*node]*group
	groups  map[nodeStatus]*group
	// versions are the certificates that nodes have.
	versions map[held]*version
	// latest is the version that the version watch published, empty where it did not; wave is the last wave that may have it.
	latest string
	wave   int
	// changes is when time alone changes the status, zero for never.
	changes time.Time
}

// group counts the nodes that have the same status.
type group struct {
	nodeStatus
	count int
}

// version counts the nodes that have one version of a certificate.
type version struct {
	count  int
	synced int // of these, the nodes whose polls succeed
	// order is its place in the order in which versions appeared, 0 where that was not observed.
	order uint64
}

func (c *certificate) add(n *node, s nodeStatus) {
	g := c.groups[s]
	if g == nil {
		g = &group{nodeStatus: s}
		c.groups[s] = g
	}
	g.count++
	c.nodes[n] = g
	if s.held == (held{}) {
		return
	}
	v := c.versions[s.held]
	if v == nil {
		v = &version{}
		c.versions[s.held] = v
	}
	v.count++
	if s.synced() {
		v.synced++
	}
}

// synced reports whether a node has a certificate as the spec asks, and its polls succeed.
func (s nodeStatus) synced() bool { return s.phase == installed && s.sync == "" }

func (c *certificate) remove(n *node) {
	g := c.nodes[n]
	delete(c.nodes, n)
	c.removeFrom(g)
}

// removeFrom removes one node from a group. A node that changes groups is added to the new group first: removing the last
// node of a version also deletes the version's place in the order.
func (c *certificate) removeFrom(g *group) {
	if g.count--; g.count == 0 {
		delete(c.groups, g.nodeStatus)
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

// messageChanged reports whether the message of a node that the status may name differs from before.
func (c *certificate) messageChanged(before, after *node) bool {
	g := c.nodes[after]
	if g == nil || g.phase == installed && g.sync == "" && !g.linkDeclined && !g.usesFailed() {
		return false
	}
	old, _ := before.entry(c.desired.name)
	now, _ := after.entry(c.desired.name)
	return old.Message != now.Message || usedby.Failures(old.Uses) != usedby.Failures(now.Uses)
}
