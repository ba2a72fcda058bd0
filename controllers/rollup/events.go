package rollup

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Reasons of events on an ObservedCertificate. Failures have the reasons of the table in api/v1alpha1.
const (
	// EventRolloutStarted means that the first node has another version.
	EventRolloutStarted = "RolloutStarted"
	// EventRolloutCompleted means that every node has it.
	EventRolloutCompleted = "RolloutCompleted"
)

// Actions of events: what was done when it happened.
const (
	actionRollOut = "RollOut"
	actionCheck   = "CheckExpiry"
	actionPoll    = "Poll"
	actionLink    = "LinkOnRenewal"
	actionSelect  = "SelectNodes"
	actionUse     = "SwitchProgram"
)

// statusEvent is one event about a change of status.
type statusEvent struct {
	kind, reason, action, note string
}

// emitEvents writes the events and the log lines of a status that was written.
func (p *publisher) emitEvents(ctx context.Context, d pendingWrite) {
	before, after := d.certificate.Status, d.status
	history := p.histories[d.Name]
	if history == nil || history.uid != d.certificate.UID {
		history = historyFrom(d.certificate.UID, before, p.now())
		p.histories[d.Name] = history
	}
	log := ctrl.LoggerFrom(ctx)
	for _, e := range history.eventsBetween(before, after, d.summary, d.named, p.now()) {
		p.events.Eventf(d.certificate, nil, e.kind, e.reason, e.action, "%s", truncate.Cut(e.note, truncate.EventNote))
		log.Info(e.reason, "ObservedCertificate", d.Name, "note", e.note)
	}
	if took, done := history.rolloutTime(after, p.now()); done {
		p.instruments.rollout.Observe(took.Seconds())
	}
	log.V(1).Info("Wrote the status", "ObservedCertificate", d.Name, "nodes", after.Nodes.Summary, "ready", readyOf(after).Status, "reason", readyOf(after).Reason)
}

// eventsBetween returns the events that the change from one status to another causes, at most one per reason.
func (h *eventHistory) eventsBetween(before, after v1alpha1.ObservedCertificateStatus, sum summary, named namedNodes, now time.Time) []statusEvent {
	events := h.rolloutEvents(before, after, now)
	for _, t := range h.newFailures(sum.notInstalled, now) {
		events = append(events, statusEvent{corev1.EventTypeWarning, string(t.reason), actionRollOut,
			fmt.Sprintf("%d of %s", t.count, nodes(sum.matched)) + firstOf(t.reason, after.Failures)})
	}
	for _, t := range h.newFailures(sum.pollFailures, now) {
		events = append(events, statusEvent{corev1.EventTypeWarning, string(t.reason), actionPoll,
			fmt.Sprintf("polls fail on %d of %s where a valid certificate is installed", t.count, nodes(sum.matched)) + firstOf(t.reason, named.syncFailing)})
	}
	if sum.linkDeclined > 0 && h.allow(string(v1alpha1.ReasonLinkDeclined), quietFailure, now) {
		events = append(events, conditionEvent(after, v1alpha1.ConditionLinkDeclined, actionLink))
	}
	if sum.useFailed > 0 && h.allow(string(v1alpha1.ReasonUseFailed), quietFailure, now) {
		events = append(events, conditionEvent(after, v1alpha1.ConditionUseFailed, actionUse))
	}
	if h.becomesUnselected(sum) && h.allow(string(v1alpha1.ReasonNoNodesSelected), quietFailure, now) {
		events = append(events, statusEvent{corev1.EventTypeWarning, string(v1alpha1.ReasonNoNodesSelected), actionSelect, sum.noNodes()})
	}
	return slices.Concat(events, h.versionEvents(before, after, now), h.waveEvents(before, after, sum, now), h.expiryEvents(before, after, now))
}

// becomesUnselected reports whether from now on no node is selected although nodes run the agent. A suspended certificate needs
// no node.
func (h *eventHistory) becomesUnselected(sum summary) bool {
	before := h.unselected
	h.unselected = sum.matched == 0 && sum.agents > 0 && !sum.suspended
	return h.unselected && !before
}

// rolloutEvents returns the events of a roll-out that started or completed. Nodes that are added later or recover cause none.
func (h *eventHistory) rolloutEvents(before, after v1alpha1.ObservedCertificateStatus, now time.Time) []statusEvent {
	var events []statusEvent
	if before.ObservedGeneration != after.ObservedGeneration {
		h.started = now
	}
	if after.Thumbprint != "" && after.Thumbprint != before.Thumbprint {
		h.started = now
		events = h.startEvents(after, now)
	}
	is := readyOf(after)
	if is.Status != metav1.ConditionTrue || is.Reason != string(v1alpha1.ReasonInstalled) || h.completed == rolloutOf(after) {
		return events
	}
	h.completed = rolloutOf(after)
	if !h.allow(EventRolloutCompleted, quietRollout, now) {
		return events
	}
	text := fmt.Sprintf("%s, thumbprint %s", is.Message, after.Thumbprint)
	if since := h.startOf(before); !since.IsZero() && now.Sub(since) >= time.Second {
		text += ", in " + now.Sub(since).Round(time.Second).String()
	}
	return append(events, statusEvent{corev1.EventTypeNormal, EventRolloutCompleted, actionRollOut, text})
}

// startEvents returns the event that the first node has another version, with the number of roll-outs in the quiet period
// before it.
func (h *eventHistory) startEvents(after v1alpha1.ObservedCertificateStatus, now time.Time) []statusEvent {
	if !h.allow(EventRolloutStarted, quietRollout, now) {
		h.suppressed++
		return nil
	}
	text := fmt.Sprintf("version %s, thumbprint %s, valid until %s, for %s", after.Version, after.Thumbprint, dateOf(after.NotAfter), nodes(int(after.Nodes.Matched)))
	if h.suppressed > 0 {
		text += fmt.Sprintf("; %d roll-outs since the last such event had no event", h.suppressed)
	}
	h.suppressed = 0
	return []statusEvent{{corev1.EventTypeNormal, EventRolloutStarted, actionRollOut, text}}
}

// startOf returns when the roll-out started. After a restart it is when the condition Reconciling became True.
func (h *eventHistory) startOf(before v1alpha1.ObservedCertificateStatus) time.Time {
	if !h.started.IsZero() {
		return h.started
	}
	if reconciling := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionReconciling); reconciling != nil && reconciling.Status == metav1.ConditionTrue {
		return reconciling.LastTransitionTime.Time
	}
	return time.Time{}
}

// firstOf returns the first of the nodes with a reason, and its message.
func firstOf(reason v1alpha1.Reason, named []v1alpha1.NodeFailure) string {
	for _, failure := range named {
		if failure.Reason == reason {
			return fmt.Sprintf("; on %s: %s", failure.Node, failure.Message)
		}
	}
	return ""
}

// expiryEvents returns the event that a certificate is near expiry or expired.
func (h *eventHistory) expiryEvents(before, after v1alpha1.ObservedCertificateStatus, now time.Time) []statusEvent {
	was, is := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionExpiringSoon), meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionExpiringSoon)
	if is.Status != metav1.ConditionTrue || was != nil && was.Reason == is.Reason || !h.allow(is.Reason, quietFailure, now) {
		return nil
	}
	return []statusEvent{conditionEvent(after, v1alpha1.ConditionExpiringSoon, actionCheck)}
}

// conditionEvent returns an event with the reason and message of a condition that is True.
func conditionEvent(status v1alpha1.ObservedCertificateStatus, name, action string) statusEvent {
	condition := meta.FindStatusCondition(status.Conditions, name)
	return statusEvent{corev1.EventTypeWarning, condition.Reason, action, condition.Message}
}

func dateOf(t *metav1.Time) string {
	if t == nil {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}
