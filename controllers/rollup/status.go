package rollup

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/rollup/writequeue"
)

// maxReasons is how many reasons a message names.
const maxReasons = 3

// statusOf returns the desired status. A condition that keeps its status keeps its transition time, and fields that this
// roll-up does not compute keep their value.
func statusOf(previous v1alpha1.ObservedCertificateStatus, w desired, s summary, named namedNodes, expiringSoon time.Duration, now time.Time) v1alpha1.ObservedCertificateStatus {
	status := *previous.DeepCopy()
	status.ObservedGeneration = w.generation
	status.Version, status.Thumbprint, status.NotAfter = s.current.version, s.current.thumbprint, s.current.end()
	status.Nodes = &v1alpha1.NodeCounts{
		Matched: int32(s.matched), Installed: int32(s.installed), Failed: int32(s.failed), Pending: int32(s.pending), //nolint:gosec // G115: numbers of nodes
		Summary: fmt.Sprintf("%d/%d", s.installed, s.matched),
	}
	status.Failures = named.failures
	ready := s.ready(w)
	if withoutVersions(w, status) {
		s.refused = true
		ready.Status, ready.Reason, ready.Message = metav1.ConditionFalse, string(v1alpha1.ReasonVersionWatchRequired), needsWatch+"; "+ready.Message
	}
	conditions := []metav1.Condition{
		ready, s.reconciling(w, ready), s.isStalled(ready),
		s.expiringSoon(w, expiringSoon, now), s.failingSync(w, named.syncFailing), s.declinedLink(w, named.linkDeclined),
	}
	if w.rollout != nil {
		conditions = append(conditions, s.haltedRollout(w, status))
	} else {
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionRolloutHalted)
	}
	status.Uses = s.uses
	if len(w.uses) > 0 {
		conditions = append(conditions, s.failedUse(named.useFailed))
	} else {
		meta.RemoveStatusCondition(&status.Conditions, v1alpha1.ConditionUseFailed)
	}
	for _, condition := range conditions {
		condition.ObservedGeneration, condition.LastTransitionTime = w.generation, metav1.NewTime(now)
		meta.SetStatusCondition(&status.Conditions, condition)
	}
	return status
}

// urgencyOf returns how urgently one status should replace another.
func urgencyOf(before, after v1alpha1.ObservedCertificateStatus) writequeue.Urgency {
	was, is := readyOf(before), readyOf(after)
	switch {
	case publication(before) != publication(after),
		waveOf(before.Rollout, publication(before)) != waveOf(after.Rollout, publication(after)),
		before.ObservedGeneration != after.ObservedGeneration, before.Thumbprint != after.Thumbprint, before.Version != after.Version:
		return writequeue.Published
	case was.Status != is.Status && is.Status == metav1.ConditionTrue:
		return writequeue.Completed
	case was.Status != is.Status, was.Reason != is.Reason, syncFails(before) != syncFails(after), useFails(before) != useFails(after):
		return writequeue.NewReason
	}
	return writequeue.CountsAlone
}

// publication returns the version that a status publishes, empty for none.
func publication(status v1alpha1.ObservedCertificateStatus) string {
	if status.LatestVersion == nil {
		return ""
	}
	return status.LatestVersion.Version
}

func readyOf(status v1alpha1.ObservedCertificateStatus) metav1.Condition {
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{}
}

func syncFails(status v1alpha1.ObservedCertificateStatus) bool {
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionSyncFailing)
}

func useFails(status v1alpha1.ObservedCertificateStatus) bool {
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionUseFailed)
}

func sameStatus(a, b v1alpha1.ObservedCertificateStatus) bool {
	return equality.Semantic.DeepEqual(a, b)
}

// nextChange returns when the next certificate on a node comes near expiry or expires, zero for never.
func (c *certificate) nextChange(expiringSoon time.Duration, now time.Time) (next time.Time) {
	for h := range c.versions {
		if h.notAfter == 0 {
			continue
		}
		end := time.Unix(h.notAfter, 0)
		for _, change := range []time.Time{end.Add(-expiringSoon), end} {
			if now.Before(change) {
				next = earliest(next, change)
			}
		}
	}
	return next
}

// noAgents is the message of a certificate in a cluster where no node could have it.
const noAgents = "no node runs the agent yet"

// noNodes distinguishes a selector that matches no node from a cluster, or a node pool, without agents.
func (s summary) noNodes() string {
	switch {
	case s.agents == 0 && s.withoutAgent == 0:
		return noAgents
	case s.agents == 0:
		return fmt.Sprintf("%s spec.nodeSelector, but no node runs the agent yet", match(s.withoutAgent))
	case s.withoutAgent > 0:
		return fmt.Sprintf("%s spec.nodeSelector without running the agent; %s", match(s.withoutAgent), run(s.agents))
	}
	return "no node matches spec.nodeSelector; " + run(s.agents)
}

// message counts nodes by phase and reason: "2 of 50 nodes failed: AccessDenied (2); 3 pending: AgentNotReporting (3)".
func (s summary) message(w desired) string {
	if s.matched == 0 {
		return s.noNodes()
	}
	var parts []string
	for _, kind := range []struct {
		phase phase
		word  string
		count int
	}{{failed, "failed", s.failed}, {pending, "pending", s.pending}} {
		if kind.count == 0 {
			continue
		}
		count := fmt.Sprint(kind.count)
		if len(parts) == 0 {
			count = fmt.Sprintf("%d of %s", kind.count, nodes(s.matched))
		}
		parts = append(parts, count+" "+kind.word+": "+reasonText(s.byReason(kind.phase)))
	}
	if len(parts) == 0 {
		parts = append(parts, fmt.Sprintf("installed on %d of %s", s.installed, nodes(s.matched)))
	}
	if w.suspended {
		parts = append(parts, "suspended: nothing is polled or changed")
	}
	if s.blocked > 0 {
		parts = append(parts, fmt.Sprintf("the startup taint keeps pods off %s until then", nodes(s.blocked)))
	}
	return strings.Join(parts, "; ")
}

// reasonText names the worst reasons and how many nodes have each.
func reasonText(counts []reasonCount) string {
	var named []string
	rest := 0
	for _, t := range counts {
		if len(named) == maxReasons {
			rest += t.count
			continue
		}
		named = append(named, fmt.Sprintf("%s (%d)", t.reason, t.count))
	}
	if rest > 0 {
		named = append(named, fmt.Sprintf("others (%d)", rest))
	}
	return strings.Join(named, ", ")
}

// byReason returns the counts of a phase, each reason once.
func (s summary) byReason(of phase) []reasonCount {
	var merged []reasonCount
	at := map[v1alpha1.Reason]int{}
	for _, t := range s.notInstalled {
		if t.phase != of {
			continue
		}
		if i, known := at[t.reason]; known {
			merged[i].count += t.count
			continue
		}
		at[t.reason] = len(merged)
		merged = append(merged, t)
	}
	return merged
}

func nodes(count int) string {
	if count == 1 {
		return "1 node"
	}
	return fmt.Sprintf("%d nodes", count)
}

func have(count int) string {
	if count == 1 {
		return "1 node has"
	}
	return nodes(count) + " have"
}

func match(count int) string {
	if count == 1 {
		return "1 node matches"
	}
	return nodes(count) + " match"
}

func run(count int) string {
	if count == 1 {
		return "1 node runs the agent"
	}
	return nodes(count) + " run the agent"
}
