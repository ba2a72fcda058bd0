package agent

import (
	"context"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Events of a node are bounded: a burst, as when the vault of a thousand certificates refuses them, would wait for seconds in
// the client's own throttling and hold workers up. The node's state holds what is dropped.
const (
	eventsPerSecond = 1
	eventsBurst     = 25
)

// warn puts a warning about one certificate on this agent's own Node, once per change of reason. Events on the
// ObservedCertificate are the controller's: a thousand nodes with the same trouble must not write a thousand of them.
func (r *Reconciler) warn(ctx context.Context, certificate *v1alpha1.ObservedCertificate, found problem) {
	if !r.eventBudget().Allow() {
		r.Metrics.droppedEvents.Inc()
		return
	}
	var node corev1.Node
	if err := r.Get(ctx, types.NamespacedName{Name: r.Node}, &node); err != nil {
		return // the NodeCertificateState says it all the same
	}
	r.Events.Eventf(&node, certificate, corev1.EventTypeWarning, string(found.reason), "InstallCertificate",
		"%s", noteOf(certificate.Name, found))
}

func (r *Reconciler) eventBudget() *rate.Limiter {
	r.eventsOnce.Do(func() { r.eventLimiter = rate.NewLimiter(eventsPerSecond, eventsBurst) })
	return r.eventLimiter
}

// noteOf returns an event's note within the bytes that the API accepts. What differs from attempt to attempt is in it: an event
// is written once.
func noteOf(name string, found problem) string {
	note := "ObservedCertificate " + name + ": " + found.message
	if found.detail != "" {
		note += "; " + found.detail
	}
	if found.requestID != "" {
		note += "; request id " + found.requestID
	}
	return truncate.Cut(truncate.Line(note, truncate.EventNote), truncate.EventNote)
}
