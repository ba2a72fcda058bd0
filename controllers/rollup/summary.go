package rollup

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/waves"
)

// summary counts the nodes of one certificate.
type summary struct {
	matched, installed, failed, pending int
	// blocked is how many nodes the startup taint keeps pods off until they have the certificate.
	blocked int
	// pollFailures are the reasons why polls fail on nodes that have a valid certificate, the worst first; syncFailing is on
	// how many nodes.
	pollFailures []reasonCount
	syncFailing  int
	// linkDeclined is on how many nodes linkOnRenewal did not link an older version.
	linkDeclined int
	// uses counts the nodes of each entry of spec.usedBy; useFailed is on how many nodes at least one failed.
	uses      []v1alpha1.UseCounts
	useFailed int
	// agents and withoutAgent are counted only where no node matches: the nodes that run the agent, and the nodes that match the
	// selector and do not run it.
	agents, withoutAgent int
	suspended            bool
	// current is the certificate that nodes should have; zero while none has one.
	current held
	// latest is the version that nodes should have, empty where the version watch does not say.
	latest string
	// wave is the last wave that may have it; waves are the nodes of each wave, none without waves.
	wave  int
	waves []waves.Count
	// refused is set where the spec as a whole is refused.
	refused bool
	// notInstalled are the reasons of the failed and pending nodes, the worst first.
	notInstalled []reasonCount
	// expiry is the earliest expiry of a certificate on a node, as Unix time, 0 for none; expiryNodes is on how many nodes.
	expiry      int64
	expiryNodes int
}

// reasonCount counts nodes with the same reason. stale tells nodes that stopped reporting from new ones, see nodeStatus.
type reasonCount struct {
	phase  phase
	reason v1alpha1.Reason
	stale  bool
	count  int
}

func (t reasonCount) status() nodeStatus {
	return nodeStatus{phase: t.phase, reason: t.reason, stale: t.stale}
}

// summarize counts. Its cost grows with the number of different node statuses, not of nodes.
func (c *certificate) summarize(expiringSoon time.Duration, now time.Time) summary {
	s := summary{current: c.current(now), latest: c.latest, wave: c.wave, waves: c.emptyWaves(), uses: emptyUses(c.desired.uses), suspended: c.desired.suspended}
	notInstalled, pollFailures := map[reasonCount]int{}, map[reasonCount]int{}
	for _, g := range c.groups {
		at := g.at(now, expiringSoon, s.target())
		s.count(at, g.count)
		s.countWave(g.nodeStatus, at, g.count)
		s.countUses(at, g.count)
		if at.pollsFail(now) {
			s.syncFailing += g.count
			pollFailures[reasonCount{phase: pending, reason: at.sync}] += g.count
		}
		if at.phase != installed {
			notInstalled[reasonCount{phase: at.phase, reason: at.reason, stale: at.stale}] += g.count
		}
	}
	s.notInstalled, s.pollFailures = ranked(notInstalled), ranked(pollFailures)
	return s
}

// ranked returns counts with the worst reason first.
func ranked(counts map[reasonCount]int) []reasonCount {
	var sorted []reasonCount
	for t, count := range counts {
		t.count = count
		sorted = append(sorted, t)
	}
	slices.SortFunc(sorted, bySeverity)
	return sorted
}

func (s *summary) count(at nodeStatus, nodes int) {
	s.matched += nodes
	switch at.phase {
	case installed:
		s.installed += nodes
	case pending:
		s.pending += nodes
	case failed:
		s.failed += nodes
	}
	if at.blocked {
		s.blocked += nodes
	}
	if at.linkDeclined {
		s.linkDeclined += nodes
	}
	switch end := at.held.notAfter; {
	case end == 0 || s.expiry != 0 && end > s.expiry:
	case end == s.expiry:
		s.expiryNodes += nodes
	default:
		s.expiry, s.expiryNodes = end, nodes
	}
}

func (s summary) target() target { return target{s.current, s.latest, s.wave} }

// emptyWaves returns a place for the counts of each wave, and of the nodes that no wave selects.
func (c *certificate) emptyWaves() []waves.Count {
	if c.desired.rollout == nil {
		return nil
	}
	return make([]waves.Count, len(c.desired.rollout.Waves)+1)
}

// countWave counts nodes in their wave. A node that has the version and no longer reports is not done.
func (s *summary) countWave(own, at nodeStatus, nodes int) {
	if at.wave == 0 {
		return
	}
	count := &s.waves[at.wave-1]
	count.Nodes += nodes
	switch {
	case at.phase == failed:
		count.Failed += nodes
	case own.phase == installed && at.phase == installed && s.latest != "" && at.held.version == s.latest:
		count.Done += nodes
	}
}

// current returns the certificate of the latest version if a node has it as the spec asks. Otherwise it is the newest certificate
// that a node has as the spec asks, or if none does, the newest that any node has.
func (c *certificate) current(now time.Time) held {
	best, found := held{}, false
	consider := func(h held) {
		if h != (held{}) && (!found || c.newer(h, best)) {
			best, found = h, true
		}
	}
	for _, g := range c.groups {
		if g.phase == installed && !g.held.expired(now) {
			consider(g.held)
		}
	}
	if found {
		return best
	}
	for h := range c.versions {
		consider(h)
	}
	return best
}

// newer reports whether one version is newer than another. The vault's version names have no order, so the newer one is, in
// this order of precedence: the one that the version watch published; the one that appeared later; after a restart, the one that
// the status named; one on a node whose
// polls succeed; the one that expires later.
func (c *certificate) newer(a, b held) bool {
	return cmp.Or(
		compareBool(c.latest != "" && a.version == c.latest, c.latest != "" && b.version == c.latest),
		cmp.Compare(c.versions[a].order, c.versions[b].order),
		compareBool(a == c.desired.last, b == c.desired.last),
		compareBool(c.versions[a].synced > 0, c.versions[b].synced > 0),
		cmp.Compare(a.notAfter, b.notAfter),
		strings.Compare(a.version, b.version),
		strings.Compare(a.thumbprint, b.thumbprint),
	) > 0
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// worst returns the worst failure; ok is false where no node fails.
func (s summary) worst() (worst reasonCount, ok bool) {
	for _, t := range s.notInstalled {
		if t.status().failing() {
			return t, true
		}
	}
	return reasonCount{}, false
}

// stalled reports whether a node needs a change of the spec.
func (s summary) stalled() bool {
	return s.refused || slices.ContainsFunc(s.notInstalled, func(t reasonCount) bool { return t.reason.Class() == v1alpha1.ClassTerminal })
}

// bySeverity orders reasons: first those that need a change of the spec, then those that a person must act on, then those that
// resolve themselves, then nodes that are only not finished; within each, failed nodes before pending ones, and more nodes
// before fewer.
func bySeverity(a, b reasonCount) int {
	return cmp.Or(
		compareSeverity(a.status(), b.status()),
		cmp.Compare(b.count, a.count),
		strings.Compare(string(a.reason), string(b.reason)),
	)
}

func compareSeverity(a, b nodeStatus) int {
	return cmp.Or(cmp.Compare(severity(a), severity(b)), cmp.Compare(b.phase, a.phase))
}

// severity is 0 for the worst.
func severity(s nodeStatus) int {
	if !s.failing() {
		return 4
	}
	switch s.reason.Class() {
	case v1alpha1.ClassTerminal:
		return 0
	case v1alpha1.ClassWaiting:
		return 1
	case v1alpha1.ClassTransient:
		return 2
	case v1alpha1.ClassNone:
	}
	return 3
}
