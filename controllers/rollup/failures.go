package rollup

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// maxFailures is how many nodes a status names, see the CRD.
const maxFailures = 10

// maxMessage bounds a failure's message in a status, in bytes: up to ten of them go to every agent's watch.
const maxMessage = 512

// maxSyncFailing is how many nodes the condition SyncFailing names.
const maxSyncFailing = 3

// namedNodes are the nodes that a status names, the worst first.
type namedNodes struct {
	failures []v1alpha1.NodeFailure
	// syncFailing are nodes whose polls fail while they have a valid certificate. linkDeclined is one with an older version
	// that was not linked.
	syncFailing, linkDeclined []v1alpha1.NodeFailure
	// useFailed is one where an entry of spec.usedBy failed.
	useFailed []v1alpha1.NodeFailure
}

// nameNodes chooses the nodes that a status names. It visits the nodes only if at least one has something to report.
func (c *certificate) nameNodes(s summary, expiringSoon time.Duration, now time.Time) namedNodes {
	if s.installed == s.matched && s.syncFailing == 0 && s.linkDeclined == 0 && s.useFailed == 0 {
		return namedNodes{}
	}
	failures, syncFailing, linkDeclined, useFailed := newRanking(maxFailures), newRanking(maxSyncFailing), newRanking(1), newRanking(1)
	for n, g := range c.nodes {
		at := g.at(now, expiringSoon, s.target())
		if at.phase != installed {
			failures.add(affectedNode{n, at})
		}
		if at.pollsFail(now) {
			syncFailing.add(affectedNode{n, nodeStatus{phase: pending, reason: at.sync, held: at.held}})
		}
		if at.usesFailed() {
			useFailed.add(affectedNode{n, nodeStatus{phase: pending, reason: v1alpha1.ReasonUseFailed, held: at.held}})
		}
		if at.linkDeclined {
			linkDeclined.add(affectedNode{n, nodeStatus{phase: pending, reason: v1alpha1.ReasonLinkDeclined, held: at.held}})
		}
	}
	return namedNodes{c.describe(failures, s, now), c.describe(syncFailing, s, now), c.describe(linkDeclined, s, now), c.describe(useFailed, s, now)}
}

// describe returns each selected node with its reason and message.
func (c *certificate) describe(r *ranking, s summary, now time.Time) []v1alpha1.NodeFailure {
	var failures []v1alpha1.NodeFailure
	for _, a := range r.selected() {
		failures = append(failures, v1alpha1.NodeFailure{Node: a.node.name, Reason: a.status.reason, Message: a.message(&c.desired, s.target(), now)})
	}
	return failures
}

// ranking selects at most limit nodes: first the worst of each reason, so that a frequent reason does not hide a rare one,
// then the worst of all.
type ranking struct {
	limit    int
	worst    []affectedNode // the worst first
	ofReason map[v1alpha1.Reason]affectedNode
}

func newRanking(limit int) *ranking {
	return &ranking{limit: limit, ofReason: map[v1alpha1.Reason]affectedNode{}}
}

func (r *ranking) add(candidate affectedNode) {
	r.worst = r.insert(r.worst, candidate)
	if first, found := r.ofReason[candidate.status.reason]; !found || compareAffected(candidate, first) < 0 {
		r.ofReason[candidate.status.reason] = candidate
	}
}

// insert keeps a list in order and within the limit.
func (r *ranking) insert(list []affectedNode, candidate affectedNode) []affectedNode {
	if len(list) == r.limit && compareAffected(candidate, list[r.limit-1]) >= 0 {
		return list
	}
	i, _ := slices.BinarySearchFunc(list, candidate, compareAffected)
	list = slices.Insert(list, i, candidate)
	return list[:min(len(list), r.limit)]
}

// selected returns the worst node of each reason, and fills the remaining places with the worst of all.
func (r *ranking) selected() []affectedNode {
	var selected []affectedNode
	for _, first := range r.ofReason {
		selected = r.insert(selected, first)
	}
	for _, other := range r.worst {
		if len(selected) == r.limit {
			break
		}
		if r.ofReason[other.status.reason].node != other.node {
			selected = r.insert(selected, other)
		}
	}
	return selected
}

// affectedNode is a node that failed or is not finished.
type affectedNode struct {
	node   *node
	status nodeStatus
}

func compareAffected(a, b affectedNode) int {
	return cmp.Or(compareSeverity(a.status, b.status), strings.Compare(a.node.name, b.node.name))
}

// message says what is wrong on the node or what it waits for, and what to do. It is the same at each attempt.
func (a affectedNode) message(want *desired, wanted target, now time.Time) string {
	entry, reported := a.node.entry(want.name)
	text := entry.Message
	switch {
	case a.status.reason == v1alpha1.ReasonExpired && a.status.held.expired(now):
		text = a.expired(want, entry, wanted.current, now)
	case a.status.reason == v1alpha1.ReasonAgentNotReporting:
		text = a.notReporting()
	case a.status.reason == v1alpha1.ReasonUseFailed:
		text = usedby.Failures(entry.Uses)
	case a.status.reason == v1alpha1.ReasonSuperseded, a.status.reason == v1alpha1.ReasonWaitingForWave:
		text = a.superseded(wanted)
	case a.status.reason != v1alpha1.ReasonPending: // the agent's own message
	case !reported && a.node.omitted > 0:
		text = fmt.Sprintf("the node's report omits %d certificates because of its size (see omitted of NodeCertificateState %s): select fewer certificates for this node", a.node.omitted, a.node.name)
	case !reported:
		text = "the node's agent has not reported this certificate yet"
	case entry.Generation != want.generation:
		text = fmt.Sprintf("the node's agent has not processed generation %d of the spec yet; it reports generation %d", want.generation, entry.Generation)
	case text == "":
		text = "the node's agent has not processed the certificate yet"
	}
	return truncate.Cut(text, maxMessage)
}

// superseded says which version the node has, and which it should have.
func (a affectedNode) superseded(wanted target) string {
	if a.status.reason == v1alpha1.ReasonWaitingForWave && wanted.latest == "" {
		return fmt.Sprintf("the node has version %s, other nodes have %s; no wave of the roll-out starts while the version watch does not see the secret: see the condition VersionWatched", a.status.held.version, wanted.current.version)
	}
	if a.status.reason == v1alpha1.ReasonWaitingForWave {
		return fmt.Sprintf("the node has version %s, and is in wave %d of the roll-out of %s; wave %d has started: see status.rollout and the condition RolloutHalted", a.status.held.version, a.status.wave, wanted.latest, wanted.wave)
	}
	if wanted.latest != "" {
		return fmt.Sprintf("the node has version %s; its agent fetches version %s, which status.latestVersion has, within its time of status.latestVersion", a.status.held.version, wanted.latest)
	}
	return fmt.Sprintf("the node has version %s, other nodes have %s; the node installs it at its next poll: set the annotation vaultpane.dev/requestedAt to poll now", a.status.held.version, wanted.current.version)
}

// expired says why an expired certificate has not been replaced.
func (a affectedNode) expired(want *desired, entry v1alpha1.CertificateEntry, current held, now time.Time) string {
	expiredOn := fmt.Sprintf("certificate %s on the node expired on %s", a.status.held.thumbprint, a.status.held.end().UTC().Format(time.RFC3339))
	failing := entry.State == v1alpha1.StateFailed || entry.State == v1alpha1.StatePending || a.status.sync != ""
	switch {
	case a.status.stale:
		return expiredOn + ", and " + a.notReporting()
	case failing && entry.Reason == v1alpha1.ReasonExpired && entry.Message != "":
		return entry.Message // which says what to do
	case failing && entry.Message != "":
		return fmt.Sprintf("%s, and polls for a newer version fail (%s): %s", expiredOn, entry.Reason.Info().Reason, entry.Message)
	case want.pinned != "":
		return expiredOn + "; renew it in the vault; " + want.pin()
	case a.status.held != current && !current.expired(now):
		return expiredOn + "; other nodes have a newer version: request a poll with the annotation vaultpane.dev/requestedAt, and check the agent's pod on this node"
	}
	if want.configMap {
		return expiredOn + "; replace it in the ConfigMap"
	}
	return expiredOn + "; renew it in the vault"
}

// pin says that newer versions are not installed, and what to remove so that they are.
func (w *desired) pin() string {
	return fmt.Sprintf("spec.url is pinned to a version, so newer versions are not installed: remove /%s from its end", w.pinned)
}

// notReporting says why the node has no current report, and what to check.
func (a affectedNode) notReporting() string {
	switch {
	case !a.node.unwritten.IsZero():
		return fmt.Sprintf("the node's agent has not been able to write its report since %s, so its last report is outdated: check the error in its log, and that its service account may create and update NodeCertificateStates", a.node.unwritten.UTC().Format(time.RFC3339))
	case !a.status.stale:
		return "the node's agent has not reported yet; on a new node its pod may still be starting"
	case a.node.renewed.IsZero() && a.node.reported:
		return "the node's agent has reported, but has no current Lease: check its pod on this node, and that its service account may write Leases"
	case a.node.renewed.IsZero():
		return "the node's agent has never reported: check its pod on this node"
	}
	return fmt.Sprintf("the node's agent has not renewed its Lease since %s: check its pod on this node", a.node.renewed.UTC().Format(time.RFC3339))
}
