package rollup

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// maxFailures is how many nodes a status names, see the CRD.
const maxFailures = 10

// maxMessage is how long a failure's message may be in a status, in bytes: ten of them go to every agent's watch.
const maxMessage = 512

// maxSyncing is how many nodes the condition SyncFailing names.
const maxSyncing = 3

// named is the nodes that a status names, the worst first.
type named struct {
	failures []v1alpha1.NodeFailure
	// syncing are nodes whose polls fail while they have a valid certificate; declined is one with an older version that is not
	// linked.
	syncing, declined []v1alpha1.NodeFailure
}

// name chooses the nodes that a status names. It goes through all nodes only where one has something to tell.
func (c *certificate) name(s summary, soon time.Duration, now time.Time) named {
	if s.installed == s.matched && s.syncFailing == 0 && s.declined == 0 {
		return named{}
	}
	failures, syncing, declined := newRanking(maxFailures), newRanking(maxSyncing), newRanking(1)
	for n, g := range c.nodes {
		at := g.at(now, soon, s.current)
		if at.phase != installed {
			failures.take(sufferer{n, at})
		}
		if at.pollsFail(now) {
			syncing.take(sufferer{n, standing{phase: pending, reason: at.sync, held: at.held}})
		}
		if at.declined {
			declined.take(sufferer{n, standing{phase: pending, reason: v1alpha1.ReasonLinkDeclined, held: at.held}})
		}
	}
	return named{c.told(failures, s, now), c.told(syncing, s, now), c.told(declined, s, now)}
}

// told says of each chosen node what is wrong or what it waits for.
func (c *certificate) told(r *ranking, s summary, now time.Time) []v1alpha1.NodeFailure {
	var failures []v1alpha1.NodeFailure
	for _, w := range r.chosen() {
		failures = append(failures, v1alpha1.NodeFailure{Node: w.node.name, Reason: w.at.reason, Message: w.message(&c.wish, s.current, now)})
	}
	return failures
}

// ranking chooses nodes, at most limit: the worst of each reason, so that none hides behind another that many nodes have, and then
// the worst of all.
type ranking struct {
	limit    int
	worst    []sufferer // the worst first
	ofReason map[v1alpha1.Reason]sufferer
}

func newRanking(limit int) *ranking {
	return &ranking{limit: limit, ofReason: map[v1alpha1.Reason]sufferer{}}
}

func (r *ranking) take(candidate sufferer) {
	r.worst = r.insert(r.worst, candidate)
	if first, found := r.ofReason[candidate.at.reason]; !found || compareSufferers(candidate, first) < 0 {
		r.ofReason[candidate.at.reason] = candidate
	}
}

// insert keeps a list in order and within the limit.
func (r *ranking) insert(list []sufferer, candidate sufferer) []sufferer {
	if len(list) == r.limit && compareSufferers(candidate, list[r.limit-1]) >= 0 {
		return list
	}
	i, _ := slices.BinarySearchFunc(list, candidate, compareSufferers)
	list = slices.Insert(list, i, candidate)
	return list[:min(len(list), r.limit)]
}

// chosen gives the worst of each reason a place before others have a second one.
func (r *ranking) chosen() []sufferer {
	var chosen []sufferer
	for _, first := range r.ofReason {
		chosen = r.insert(chosen, first)
	}
	for _, other := range r.worst {
		if len(chosen) == r.limit {
			break
		}
		if r.ofReason[other.at.reason].node != other.node {
			chosen = r.insert(chosen, other)
		}
	}
	return chosen
}

// sufferer is a node where something is wrong or unfinished.
type sufferer struct {
	node *node
	at   standing
}

func compareSufferers(a, b sufferer) int {
	return cmp.Or(compareSeverity(a.at, b.at), strings.Compare(a.node.name, b.node.name))
}
