package rollup

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Quiet periods: how long an event of the same reason is not repeated for a certificate. A node that fails and recovers in
// turn, or a certificate that changes every few seconds, would fill the list of events. client-go does not merge these events,
// because the object that they regard changes with each status.
const (
	quietFailure = time.Hour
	quietRollout = 5 * time.Minute
)

// eventHistory records the events that were written for a certificate. It is kept in memory. After a restart it starts from the
// stored status, so that no event repeats what the status says already.
type eventHistory struct {
	uid  types.UID            // an object that is created again under its name has its own history
	sent map[string]time.Time // the time of the last event of each reason
	// completed is the last roll-out with a completion event, started the start of the current one. suppressed is how many
	// roll-outs started in a quiet period.
	completed  rollout
	started    time.Time
	suppressed int
	// unselected is set while no node is selected although nodes run the agent.
	unselected bool
	// published is the version whose roll-out is measured, empty for none.
	published string
}

// rollout is a version, or a generation of the spec, on its way to the nodes.
type rollout struct {
	thumbprint string
	generation int64
}

// historyFrom returns the history that a stored status implies.
func historyFrom(uid types.UID, status v1alpha1.ObservedCertificateStatus, now time.Time) *eventHistory {
	h := &eventHistory{uid: uid, sent: map[string]time.Time{}}
	ready := readyOf(status)
	h.sent[ready.Reason] = now
	for _, failure := range status.Failures {
		h.sent[string(failure.Reason)] = now
	}
	for _, name := range []string{v1alpha1.ConditionExpiringSoon, v1alpha1.ConditionSyncFailing, v1alpha1.ConditionLinkDeclined, v1alpha1.ConditionUseFailed} {
		if condition := meta.FindStatusCondition(status.Conditions, name); condition != nil && condition.Status == metav1.ConditionTrue {
			h.sent[condition.Reason] = now
		}
	}
	if condition := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVersionWatched); watchFails(condition) {
		h.sent[watchKey(condition)] = now
	}
	if meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionRolloutHalted) {
		h.sent[EventRolloutHalted] = now
	}
	if ready.Status == metav1.ConditionTrue {
		h.completed = rolloutOf(status)
	}
	h.unselected = ready.Reason == string(v1alpha1.ReasonNoNodesSelected) && ready.Message != noAgents
	if !h.unselected {
		delete(h.sent, string(v1alpha1.ReasonNoNodesSelected))
	}
	return h
}

func rolloutOf(status v1alpha1.ObservedCertificateStatus) rollout {
	return rollout{thumbprint: status.Thumbprint, generation: status.ObservedGeneration}
}

// allow reports whether an event of a reason may be written, and records it as written.
func (h *eventHistory) allow(reason string, quiet time.Duration, now time.Time) bool {
	if last, sent := h.sent[reason]; sent && now.Sub(last) < quiet {
		return false
	}
	h.sent[reason] = now
	return true
}

// newFailures returns the failures that need an event, and records them as written.
func (h *eventHistory) newFailures(counts []reasonCount, now time.Time) []reasonCount {
	var failures []reasonCount
	for _, t := range counts {
		if t.status().failing() && h.allow(string(t.reason), quietFailure, now) {
			failures = append(failures, t)
		}
	}
	return failures
}
