package rollup

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Reasons of events on an ObservedCertificate. Troubles have the reasons of the table in api/v1alpha1.
const (
	// EventRolloutStarted says that the first node has another version.
	EventRolloutStarted = "RolloutStarted"
	// EventRolloutCompleted says that every node has it.
	EventRolloutCompleted = "RolloutCompleted"
)

// Actions of events: what was done when it happened.
const (
	actionRollOut = "RollOut"
	actionCheck   = "CheckExpiry"
	actionPoll    = "Poll"
	actionLink    = "LinkOnRenewal"
	actionSelect  = "SelectNodes"
)

// happening is one event.
type happening struct {
	kind, reason, action, note string
}

// tell writes the events and the log lines of a status that was written.
func (p *publisher) tell(ctx context.Context, d draft) {
	before, after := d.certificate.Status, d.status
	story := p.told[d.name]
	if story == nil || story.uid != d.certificate.UID {
		story = storyFrom(d.certificate.UID, before, p.now())
		p.told[d.name] = story
	}
	log := ctrl.LoggerFrom(ctx)
	for _, h := range story.happenings(before, after, d.summary, d.named, p.now()) {
		p.events.Eventf(d.certificate, nil, h.kind, h.reason, h.action, "%s", truncate.Cut(h.note, truncate.EventNote))
		log.Info(h.reason, "ObservedCertificate", d.name, "note", h.note)
	}
	log.V(1).Info("Wrote the status", "ObservedCertificate", d.name, "nodes", after.Nodes.Summary, "ready", readyOf(after).Status, "reason", readyOf(after).Reason)
}

// happenings are the events between two statuses, each reason once.
func (s *story) happenings(before, after v1alpha1.ObservedCertificateStatus, sum summary, told named, now time.Time) []happening {
	happened := s.progress(before, after, now)
	for _, t := range s.news(sum.troubles, now) {
		happened = append(happened, happening{corev1.EventTypeWarning, string(t.reason), actionRollOut,
			fmt.Sprintf("%d of %s", t.count, nodes(sum.matched)) + firstOf(t.reason, after.Failures)})
	}
	for _, t := range s.news(sum.syncs, now) {
		happened = append(happened, happening{corev1.EventTypeWarning, string(t.reason), actionPoll,
			fmt.Sprintf("polls fail on %d of %s where a valid certificate is installed", t.count, nodes(sum.matched)) + firstOf(t.reason, told.syncing)})
	}
	if sum.declined > 0 && s.mayTell(string(v1alpha1.ReasonLinkDeclined), quietTrouble, now) {
		happened = append(happened, conditionEvent(after, v1alpha1.ConditionLinkDeclined, actionLink))
	}
	if s.losesNodes(sum) && s.mayTell(string(v1alpha1.ReasonNoNodesSelected), quietTrouble, now) {
		happened = append(happened, happening{corev1.EventTypeWarning, string(v1alpha1.ReasonNoNodesSelected), actionSelect, sum.noNodes()})
	}
	return append(happened, s.expiry(before, after, now)...)
}

// losesNodes reports whether it begins that no node is selected though nodes run the agent. What is suspended needs none.
func (s *story) losesNodes(sum summary) bool {
	before := s.unselected
	s.unselected = sum.matched == 0 && sum.agents > 0 && !sum.suspended
	return s.unselected && !before
}

// progress says that a roll-out began or ended between two statuses. Nodes that are added later, or recover, are none.
func (s *story) progress(before, after v1alpha1.ObservedCertificateStatus, now time.Time) []happening {
	var happened []happening
	if before.ObservedGeneration != after.ObservedGeneration {
		s.began = now
	}
	if after.Thumbprint != "" && after.Thumbprint != before.Thumbprint {
		s.began = now
		happened = s.start(after, now)
	}
	is := readyOf(after)
	if is.Status != metav1.ConditionTrue || is.Reason != string(v1alpha1.ReasonInstalled) || s.completed == rolloutOf(after) {
		return happened
	}
	s.completed = rolloutOf(after)
	if !s.mayTell(EventRolloutCompleted, quietRollout, now) {
		return happened
	}
	text := fmt.Sprintf("%s, thumbprint %s", is.Message, after.Thumbprint)
	if since := s.since(before); !since.IsZero() && now.Sub(since) >= time.Second {
		text += ", in " + now.Sub(since).Round(time.Second).String()
	}
	return append(happened, happening{corev1.EventTypeNormal, EventRolloutCompleted, actionRollOut, text})
}

// start says that the first node has another version, and how many versions before it were not mentioned.
func (s *story) start(after v1alpha1.ObservedCertificateStatus, now time.Time) []happening {
	if !s.mayTell(EventRolloutStarted, quietRollout, now) {
		s.unmentioned++
		return nil
	}
	text := fmt.Sprintf("version %s, thumbprint %s, valid until %s, for %s", after.Version, after.Thumbprint, dateOf(after.NotAfter), nodes(int(after.Nodes.Matched)))
	if s.unmentioned > 0 {
		text += fmt.Sprintf("; %d roll-outs since the last such event have none of their own", s.unmentioned)
	}
	s.unmentioned = 0
	return []happening{{corev1.EventTypeNormal, EventRolloutStarted, actionRollOut, text}}
}

// since is when the roll-out began. After a restart it is since when nodes have been on their way.
func (s *story) since(before v1alpha1.ObservedCertificateStatus) time.Time {
	if !s.began.IsZero() {
		return s.began
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

// expiry says that a certificate came near its end, or to it.
func (s *story) expiry(before, after v1alpha1.ObservedCertificateStatus, now time.Time) []happening {
	was, is := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionExpiringSoon), meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionExpiringSoon)
	if is.Status != metav1.ConditionTrue || was != nil && was.Reason == is.Reason || !s.mayTell(is.Reason, quietTrouble, now) {
		return nil
	}
	return []happening{conditionEvent(after, v1alpha1.ConditionExpiringSoon, actionCheck)}
}

// conditionEvent tells what a condition that is True says.
func conditionEvent(status v1alpha1.ObservedCertificateStatus, name, action string) happening {
	condition := meta.FindStatusCondition(status.Conditions, name)
	return happening{corev1.EventTypeWarning, condition.Reason, action, condition.Message}
}

func dateOf(t *metav1.Time) string {
	if t == nil {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}
