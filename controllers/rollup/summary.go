package rollup

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// summary is a certificate over all nodes, counted.
type summary struct {
	matched, installed, failed, pending int
	// kept is how many nodes the startup taint keeps from work until they have the certificate.
	kept int
	// syncs are the reasons why polls fail on nodes that have a valid certificate, the worst first; syncFailing is on how many.
	syncs       []trouble
	syncFailing int
	// declined is on how many nodes linkOnRenewal did not link an older version.
	declined int
	// agents and strangers are known where no node matches: how many nodes run the agent, and how many have the labels and do
	// not run it.
	agents, strangers int
	suspended         bool
	// current is the certificate that nodes should have; zero while none has one.
	current held
	// troubles are the reasons of the nodes that are not well, the worst first.
	troubles []trouble
	// ends is the first end of validity of what a node has, as Unix time; 0 for none. endsOn is on how many nodes.
	ends   int64
	endsOn int
}

// trouble counts nodes with the same reason. late says that they are not only new, see standing.
type trouble struct {
	phase  phase
	reason v1alpha1.Reason
	late   bool
	count  int
}

func (t trouble) standing() standing {
	return standing{phase: t.phase, reason: t.reason, late: t.late}
}

// summarize counts. Its work grows with the number of different standings, not of nodes.
func (c *certificate) summarize(soon time.Duration, now time.Time) summary {
	s := summary{current: c.current(now), suspended: c.wish.suspended}
	counted, syncs := map[trouble]int{}, map[trouble]int{}
	for _, g := range c.groups {
		at := g.at(now, soon, s.current)
		s.count(at, g.count)
		if at.pollsFail(now) {
			s.syncFailing += g.count
			syncs[trouble{phase: pending, reason: at.sync}] += g.count
		}
		if at.phase != installed {
			counted[trouble{phase: at.phase, reason: at.reason, late: at.late}] += g.count
		}
	}
	s.troubles, s.syncs = ranked(counted), ranked(syncs)
	return s
}

// ranked returns what was counted, the worst first.
func ranked(counted map[trouble]int) []trouble {
	var troubles []trouble
	for t, count := range counted {
		t.count = count
		troubles = append(troubles, t)
	}
	slices.SortFunc(troubles, bySeverity)
	return troubles
}

func (s *summary) count(at standing, nodes int) {
	s.matched += nodes
	switch at.phase {
	case installed:
		s.installed += nodes
	case pending:
		s.pending += nodes
	case failed:
		s.failed += nodes
	}
	if at.kept {
		s.kept += nodes
	}
	if at.declined {
		s.declined += nodes
	}
	switch end := at.held.notAfter; {
	case end == 0 || s.ends != 0 && end > s.ends:
	case end == s.ends:
		s.endsOn += nodes
	default:
		s.ends, s.endsOn = end, nodes
	}
}

// current is the newest certificate that a node has as the spec wants it, or where none has, the newest that any has.
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

// newer says whether one version is newer than another: the vault's names of versions have no order. It is the one that was
// seen to come later; else, after a restart, the one that the status named; else one that a node has whose polls succeed; else the
// one that is valid longer.
func (c *certificate) newer(a, b held) bool {
	return cmp.Or(
		cmp.Compare(c.versions[a].arrived, c.versions[b].arrived),
		compareTruth(a == c.wish.last, b == c.wish.last),
		compareTruth(c.versions[a].synced > 0, c.versions[b].synced > 0),
		cmp.Compare(a.notAfter, b.notAfter),
		strings.Compare(a.version, b.version),
		strings.Compare(a.thumbprint, b.thumbprint),
	) > 0
}

func compareTruth(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// worst is the reason to name where one is wanted; ok is false where all is well or only unfinished.
func (s summary) worst() (worst trouble, ok bool) {
	for _, t := range s.troubles {
		if t.standing().troubled() {
			return t, true
		}
	}
	return trouble{}, false
}

// stalled says whether a node waits for another spec.
func (s summary) stalled() bool {
	return slices.ContainsFunc(s.troubles, func(t trouble) bool { return t.reason.Class() == v1alpha1.ClassTerminal })
}

// bySeverity puts first what needs another spec, then what someone must act for, then what goes away by itself, then what
// is only unfinished; within each, failed nodes before pending ones, and more nodes before fewer.
func bySeverity(a, b trouble) int {
	return cmp.Or(
		compareSeverity(a.standing(), b.standing()),
		cmp.Compare(b.count, a.count),
		strings.Compare(string(a.reason), string(b.reason)),
	)
}

func compareSeverity(a, b standing) int {
	return cmp.Or(cmp.Compare(severity(a), severity(b)), cmp.Compare(b.phase, a.phase))
}

// severity is 0 for the worst.
func severity(s standing) int {
	if !s.troubled() {
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
