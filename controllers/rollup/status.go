package rollup

import (
	"fmt"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// namedTroubles is how many reasons a message names.
const namedTroubles = 3

// statusOf returns what the status should be. Conditions that stay the same keep their time of transition, and what this
// roll-up does not compute stays as it is.
func statusOf(previous v1alpha1.ObservedCertificateStatus, w wish, s summary, told named, soon time.Duration, now time.Time) v1alpha1.ObservedCertificateStatus {
	status := *previous.DeepCopy()
	status.ObservedGeneration = w.generation
	status.Version, status.Thumbprint, status.NotAfter = s.current.version, s.current.thumbprint, s.current.end()
	status.Nodes = &v1alpha1.NodeCounts{
		Matched: int32(s.matched), Installed: int32(s.installed), Failed: int32(s.failed), Pending: int32(s.pending), //nolint:gosec // G115: numbers of nodes
		Summary: fmt.Sprintf("%d/%d", s.installed, s.matched),
	}
	status.Failures = told.failures
	ready := s.ready(w)
	for _, condition := range []metav1.Condition{
		ready, s.reconciling(w, ready), s.isStalled(ready),
		s.expiringSoon(w, soon, now), s.failingSync(w, told.syncing), s.declinedLink(w, told.declined),
	} {
		condition.ObservedGeneration, condition.LastTransitionTime = w.generation, metav1.NewTime(now)
		meta.SetStatusCondition(&status.Conditions, condition)
	}
	return status
}

func (s summary) ready(w wish) metav1.Condition {
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Message: s.message(w)}
	worst, troubled := s.worst()
	switch {
	case s.matched == 0:
		ready.Status, ready.Reason = metav1.ConditionUnknown, string(v1alpha1.ReasonNoNodesSelected)
	case troubled:
		ready.Status, ready.Reason = metav1.ConditionFalse, string(worst.reason)
	case w.suspended && s.installed == s.matched:
		ready.Status, ready.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonSuspended)
	case w.suspended:
		ready.Status, ready.Reason = metav1.ConditionFalse, string(v1alpha1.ReasonSuspended) // nothing goes on there
	case s.pending > 0:
		ready.Status, ready.Reason = metav1.ConditionUnknown, string(v1alpha1.ReasonRollingOut)
	default:
		ready.Status, ready.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonInstalled)
	}
	return ready
}

func (s summary) reconciling(w wish, ready metav1.Condition) metav1.Condition {
	reconciling := metav1.Condition{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionFalse, Reason: ready.Reason, Message: ready.Message}
	if s.installed < s.matched && !s.stalled() && !w.suspended {
		reconciling.Status = metav1.ConditionTrue
	}
	return reconciling
}

func (s summary) isStalled(ready metav1.Condition) metav1.Condition {
	stalled := metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse, Reason: ready.Reason, Message: "no node waits for another spec"}
	if s.stalled() {
		stalled.Status, stalled.Message = metav1.ConditionTrue, ready.Message
	}
	return stalled
}

// nextChange is when one of the certificates that nodes have comes near its end or to it, zero for never.
func (c *certificate) nextChange(soon time.Duration, now time.Time) (next time.Time) {
	for h := range c.versions {
		if h.notAfter == 0 {
			continue
		}
		end := time.Unix(h.notAfter, 0)
		for _, change := range []time.Time{end.Add(-soon), end} {
			if now.Before(change) {
				next = earliest(next, change)
			}
		}
	}
	return next
}

// noAgents is the message of a certificate in a cluster where nothing could have it.
const noAgents = "no node runs the agent yet"

// noNodes tells a selector that fits no node from a cluster, or a node pool, that has none.
func (s summary) noNodes() string {
	switch {
	case s.agents == 0 && s.strangers == 0:
		return noAgents
	case s.agents == 0:
		return fmt.Sprintf("%s the labels that spec.nodeSelector asks for, and no node runs the agent yet", have(s.strangers))
	case s.strangers > 0:
		return fmt.Sprintf("%s the labels that spec.nodeSelector asks for and not the agent; %s", have(s.strangers), run(s.agents))
	}
	return "no node has the labels that spec.nodeSelector asks for; " + run(s.agents)
}

// message says how many nodes are how: "2 of 50 nodes failed: AccessDenied (2); 3 pending: AgentNotReporting (3)".
func (s summary) message(w wish) string {
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
		parts = append(parts, count+" "+kind.word+": "+s.reasons(kind.phase))
	}
	if len(parts) == 0 {
		parts = append(parts, fmt.Sprintf("installed on %d of %s", s.installed, nodes(s.matched)))
	}
	if w.suspended {
		parts = append(parts, "suspended: nothing is polled or changed")
	}
	if s.kept > 0 {
		parts = append(parts, fmt.Sprintf("the startup taint keeps %s from work until then", nodes(s.kept)))
	}
	return strings.Join(parts, "; ")
}

// reasons names the worst reasons of a phase and how many nodes have each.
func (s summary) reasons(of phase) string { return reasonsOf(s.merged(of)) }

func reasonsOf(troubles []trouble) string {
	var named []string
	rest := 0
	for _, t := range troubles {
		if len(named) == namedTroubles {
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

// merged returns the troubles of a phase, each reason once.
func (s summary) merged(of phase) []trouble {
	var merged []trouble
	at := map[v1alpha1.Reason]int{}
	for _, t := range s.troubles {
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

func run(count int) string {
	if count == 1 {
		return "1 node runs the agent"
	}
	return nodes(count) + " run the agent"
}
