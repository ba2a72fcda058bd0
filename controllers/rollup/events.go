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
	"github.com/vaultpane/vaultpane/controllers/internal/brief"
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
)

// happening is one event.
type happening struct {
	kind, reason, action, note string
}

// tell writes the events and the log lines of a status that was written.
func (p *publisher) tell(ctx context.Context, d draft) {
	before, after := d.certificate.Status, d.status
	told := p.told[d.name]
	if told == nil || told.uid != d.certificate.UID {
		told = storyFrom(d.certificate.UID, before, p.now())
		p.told[d.name] = told
	}
	log := ctrl.LoggerFrom(ctx)
	for _, h := range told.happenings(before, after, d.summary, p.now()) {
		p.events.Eventf(d.certificate, nil, h.kind, h.reason, h.action, "%s", brief.Cut(h.note, brief.EventNote))
		log.Info(h.reason, "ObservedCertificate", d.name, "note", h.note)
	}
	log.V(1).Info("Wrote the status", "ObservedCertificate", d.name, "nodes", after.Nodes.Summary, "ready", readyOf(after).Status, "reason", readyOf(after).Reason)
}

// happenings are the events between two statuses, each reason once.
func (s *story) happenings(before, after v1alpha1.ObservedCertificateStatus, sum summary, now time.Time) []happening {
	happened := append(s.progress(before, after, now), troubles(s.news(sum, now), sum, after)...)
	for _, h := range expiry(before, after) {
		if !slices.ContainsFunc(happened, func(other happening) bool { return other.reason == h.reason }) {
			happened = append(happened, h)
		}
	}
	return happened
}

// progress says that a roll-out began or ended between two statuses. Nodes that are added later, or recover, are none.
func (s *story) progress(before, after v1alpha1.ObservedCertificateStatus, now time.Time) []happening {
	var happened []happening
	if before.ObservedGeneration != after.ObservedGeneration {
		s.began = now
	}
	if after.Thumbprint != "" && after.Thumbprint != before.Thumbprint {
		s.began = now
		happened = append(happened, happening{corev1.EventTypeNormal, EventRolloutStarted, actionRollOut, fmt.Sprintf(
			"version %s, thumbprint %s, valid until %s, for %s", after.Version, after.Thumbprint, dateOf(after.NotAfter), nodes(int(after.Nodes.Matched)))})
	}
	is := readyOf(after)
	if is.Status != metav1.ConditionTrue || is.Reason != string(v1alpha1.ReasonInstalled) || s.completed == rolloutOf(after) {
		return happened
	}
	s.completed = rolloutOf(after)
	text := fmt.Sprintf("%s, thumbprint %s", is.Message, after.Thumbprint)
	if since := s.since(before); !since.IsZero() && now.Sub(since) >= time.Second {
		text += ", in " + now.Sub(since).Round(time.Second).String()
	}
	return append(happened, happening{corev1.EventTypeNormal, EventRolloutCompleted, actionRollOut, text})
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

// troubles says of each new reason how many nodes have it, with the message of one of them.
func troubles(news []trouble, s summary, after v1alpha1.ObservedCertificateStatus) []happening {
	happened := make([]happening, 0, len(news))
	for _, t := range news {
		text := fmt.Sprintf("%d of %s", t.count, nodes(s.matched))
		for _, failure := range after.Failures {
			if failure.Reason == t.reason {
				text += fmt.Sprintf("; on %s: %s", failure.Node, failure.Message)
				break
			}
		}
		happened = append(happened, happening{corev1.EventTypeWarning, string(t.reason), actionRollOut, text})
	}
	return happened
}

// expiry says that a certificate came near its end, or to it.
func expiry(before, after v1alpha1.ObservedCertificateStatus) []happening {
	was, is := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionExpiringSoon), meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionExpiringSoon)
	if is.Status != metav1.ConditionTrue || was != nil && was.Reason == is.Reason {
		return nil
	}
	return []happening{{corev1.EventTypeWarning, is.Reason, actionCheck, is.Message}}
}

func dateOf(t *metav1.Time) string {
	if t == nil {
		return "an unknown time"
	}
	return t.UTC().Format(time.RFC3339)
}
