package agent

import (
	"context"

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
	const limit = 900 // bytes; the API accepts a note of 1 kB
	message := found.message
	if len(message) > limit {
		message = message[:limit]
	}
	r.Events.Eventf(&node, certificate, corev1.EventTypeWarning, string(found.reason), "InstallCertificate",
		"ObservedCertificate %s: %s", certificate.Name, message)
}
