package rollup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/internal/brief"
)

// maxFailures is how many nodes a status names, see the CRD.
const maxFailures = 10

// maxMessage is how long a failure's message may be in a status, in bytes: ten of them go to every agent's watch.
const maxMessage = 512

// failures names the nodes where something is wrong, the worst first: the worst of each reason, so that none hides behind
// another that many nodes have, and then whoever is worst.
func (c *certificate) failures(s summary, now time.Time) []v1alpha1.NodeFailure {
	if _, troubled := s.worst(); !troubled {
		return nil
	}
	var worst ranking
	ofReason := map[v1alpha1.Reason]sufferer{}
	for n, g := range c.nodes {
		at := g.at(now, s.current)
		if !at.troubled() {
			continue
		}
		candidate := sufferer{n, at}
		worst.take(candidate)
		if first, found := ofReason[at.reason]; !found || compareSufferers(candidate, first) < 0 {
			ofReason[at.reason] = candidate
		}
	}
	named := worst.with(ofReason)
	failures := make([]v1alpha1.NodeFailure, 0, len(named))
	for _, w := range named {
		failures = append(failures, v1alpha1.NodeFailure{Node: w.node.name, Reason: w.at.reason, Message: w.message(c.wish.name, s.current, now)})
	}
	return failures
}

// ranking is the worst nodes, the worst first, at most maxFailures.
type ranking []sufferer

func (r *ranking) take(candidate sufferer) {
	if len(*r) == maxFailures && compareSufferers(candidate, (*r)[maxFailures-1]) >= 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(*r, candidate, compareSufferers)
	*r = slices.Insert(*r, i, candidate)
	*r = (*r)[:min(len(*r), maxFailures)]
}

// with gives the worst of each reason a place before others of the ranking have a second one.
func (r ranking) with(ofReason map[v1alpha1.Reason]sufferer) ranking {
	var named ranking
	for _, first := range ofReason {
		named.take(first)
	}
	for _, other := range r {
		if len(named) == maxFailures {
			break
		}
		if ofReason[other.at.reason].node != other.node {
			named.take(other)
		}
	}
	return named
}

// sufferer is a node where something is wrong.
type sufferer struct {
	node *node
	at   standing
}

func compareSufferers(a, b sufferer) int {
	return cmp.Or(compareSeverity(a.at, b.at), strings.Compare(a.node.name, b.node.name))
}

// message says what is wrong on the node and what to do. Of an expired certificate it says why the successor is not there.
func (w sufferer) message(certificate string, current held, now time.Time) string {
	entry, _ := w.node.entry(certificate)
	expired := w.at.reason == v1alpha1.ReasonExpired
	switch {
	case w.at.reason == v1alpha1.ReasonAgentNotReporting:
		return w.silence()
	case expired && w.at.late:
		return w.ended() + ", and " + w.silence()
	case expired && entry.Message == "" && w.at.held != current && !current.expired(now):
		return w.ended() + "; other nodes have its successor: ask for a poll, and look at the agent's pod on that node"
	case expired && entry.Message == "":
		return w.ended() + "; renew it in the vault"
	}
	return brief.Cut(entry.Message, maxMessage)
}

func (w sufferer) ended() string {
	return fmt.Sprintf("the certificate %s that the node has expired on %s", w.at.held.thumbprint, w.at.held.end().UTC().Format(time.RFC3339))
}

func (w sufferer) silence() string {
	switch {
	case w.node.renewed.IsZero() && w.node.reported:
		return "the node's agent has reported, but there is no Lease of it that says that it lives; look at its pod on that node, and whether it may write Leases"
	case w.node.renewed.IsZero():
		return "the node's agent has never reported; look at its pod on that node"
	}
	return fmt.Sprintf("the node's agent gave its last sign of life on %s; look at its pod on that node", w.node.renewed.UTC().Format(time.RFC3339))
}
