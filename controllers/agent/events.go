package agent

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Events of a node are bounded: a burst, as when the vault of a thousand certificates refuses them, would wait for seconds in
// the client's own throttling and block workers. The node's state holds what is dropped.
const (
	eventsPerSecond = 1
	eventsBurst     = 25
)

// warn writes a warning about one certificate as an event of this agent's own Node. Events on the ObservedCertificate are the
// controller's: a thousand nodes with the same failure must not write a thousand of them.
func (r *Reconciler) warn(ctx context.Context, certificate *v1alpha1.ObservedCertificate, warning failure.Failure) {
	if !r.eventBudget.Allow() {
		r.droppedEvents.Add(1)
		return
	}
	var node corev1.Node
	if err := r.Selection.Client.Get(ctx, types.NamespacedName{Name: r.Selection.Node}, &node); err != nil {
		return // the NodeCertificateState holds the same
	}
	r.Events.Eventf(&node, certificate, corev1.EventTypeWarning, string(warning.Reason), "InstallCertificate",
		"%s", eventNote(certificate.Name, warning))
}

// eventNote returns an event's note within the bytes that the API accepts. It holds what differs from attempt to attempt: an event
// is written once.
func eventNote(name string, warning failure.Failure) string {
	note := "ObservedCertificate " + name + ": " + warning.Message
	if warning.Detail != "" {
		note += "; " + warning.Detail
	}
	if warning.RequestID != "" {
		note += "; request id " + warning.RequestID
	}
	return truncate.Cut(truncate.Line(note, truncate.EventNote), truncate.EventNote)
}
