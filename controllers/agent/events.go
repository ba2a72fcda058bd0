package agent

import (
	"context"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// warn puts a warning about one certificate on this agent's own Node, once per change of reason. Events on the
// ObservedCertificate are the controller's: a thousand nodes with the same trouble must not write a thousand of them.
func (r *Reconciler) warn(ctx context.Context, certificate *v1alpha1.ObservedCertificate, found problem) {
	var node corev1.Node
	if err := r.Get(ctx, types.NamespacedName{Name: r.Node}, &node); err != nil {
		return // the NodeCertificateState says it all the same
	}
	r.Events.Eventf(&node, certificate, corev1.EventTypeWarning, string(found.reason), "InstallCertificate",
		"%s", noteOf(certificate.Name, found.message))
}

// noteOf returns an event's note, cut to the 1,024 bytes that the API accepts.
func noteOf(name, message string) string {
	const limit = 1024
	note := "ObservedCertificate " + name + ": " + message
	if len(note) > limit {
		note = strings.ToValidUTF8(note[:limit], "")
	}
	return note
}
