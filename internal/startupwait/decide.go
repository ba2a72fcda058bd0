// Package startupwait decides what a node with the startup taint waits for. The controller removes the taint by it, and kubectl
// vaultpane explains it.
package startupwait

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Wait is the reason why the startup taint remains on a node. The zero value means that it is removed.
type Wait struct {
	// NoReport: the agent has not reported for this very node yet.
	NoReport bool
	// NoAgent: and by the node's labels no agent runs there.
	NoAgent bool
	// Unwritten is since when the agent has not been able to write its report, zero if it can.
	Unwritten time.Time
	// Certificates are those that are missing, failed ones first, then by name.
	Certificates []Missing
	// Refused is why the API server refused to remove the taint.
	Refused string
}

// Missing is a certificate that a node waits for.
type Missing struct {
	// Name is the name of the ObservedCertificate.
	Name string
	// State, Reason and Message are those of the node's report, or why it does not count.
	State   v1alpha1.CertificateState
	Reason  v1alpha1.Reason
	Message string
}

// Done reports whether the node waits for nothing.
func (w Wait) Done() bool { return !w.NoReport && len(w.Certificates) == 0 && w.Refused == "" }

// NeedsAction reports whether a person must act before the wait ends.
func (w Wait) NeedsAction() bool {
	return w.NoAgent || !w.Unwritten.IsZero() || w.Refused != "" ||
		len(w.Certificates) > 0 && w.Certificates[0].State != v1alpha1.StatePending
}

// Decide returns what a node waits for: the report of its agent, and in it every required certificate. A report does not count
// if it is about an earlier node of the same name, or while the agent cannot write a newer one (unwritten is since when, zero
// for never).
//
// An entry has the name and generation of its ObservedCertificate, not its UID. If an object is deleted and created again under
// its name, the entry of the old one counts for about a second, until the agent reports the new one.
func Decide(node *corev1.Node, state *v1alpha1.NodeCertificateState, unwritten time.Time, certificates []v1alpha1.ObservedCertificate) Wait {
	if !unwritten.IsZero() {
		return Wait{NoReport: true, Unwritten: unwritten}
	}
	if state == nil || state.NodeUID != string(node.UID) {
		return Wait{NoReport: true}
	}
	var waiting Wait
	for i := range certificates {
		if !requires(&certificates[i], node) {
			continue
		}
		if m, found := missingFrom(state, &certificates[i]); found {
			waiting.Certificates = append(waiting.Certificates, m)
		}
	}
	slices.SortFunc(waiting.Certificates, func(a, b Missing) int {
		return cmp.Or(cmp.Compare(severity(a), severity(b)), cmp.Compare(a.Name, b.Name))
	})
	return waiting
}

func severity(m Missing) int {
	if m.State == v1alpha1.StatePending {
		return 1
	}
	return 0
}

// requires reports whether a node with the taint waits for a certificate. An invalid selector, which the API server rejects,
// selects no node, as for the agent.
func requires(certificate *v1alpha1.ObservedCertificate, node *corev1.Node) bool {
	if !certificate.Spec.RequireInitialSync || !certificate.DeletionTimestamp.IsZero() {
		return false
	}
	selector, err := certificate.Spec.NodeSelector.AsSelector()
	return err == nil && selector.Matches(labels.Set(node.Labels))
}

// missingFrom reports whether a certificate is missing on a node, by the node's report. It is not missing if it is in the store,
// valid and as the current spec asks, even if the last polls failed. A report of a newer generation than the cache has does not
// count until the cache has that generation.
func missingFrom(state *v1alpha1.NodeCertificateState, certificate *v1alpha1.ObservedCertificate) (Missing, bool) {
	report := state.Certificates
	m := Missing{Name: certificate.Name, State: v1alpha1.StatePending, Reason: v1alpha1.ReasonPending}
	at := slices.IndexFunc(report, func(e v1alpha1.CertificateEntry) bool { return e.Name == certificate.Name })
	if at < 0 {
		m.Message = "the node has not reported it yet"
		if omitted := state.Omitted; omitted != nil && omitted.Certificates > 0 {
			m.Message = fmt.Sprintf("the node's report omits %d certificates because of its size: select fewer certificates for this node", omitted.Certificates)
		}
		return m, true
	}
	entry := report[at]
	switch {
	case entry.Generation != certificate.Generation:
		m.Message = fmt.Sprintf("the node has not processed generation %d of the spec yet; it reports generation %d", certificate.Generation, entry.Generation)
	case entry.Thumbprint != "" && (entry.State == v1alpha1.StateInstalled || entry.State == v1alpha1.StateSuspended):
		return Missing{}, false // a certificate that was suspended after its installation counts as installed
	case entry.State == v1alpha1.StateSuspended:
		m.State, m.Reason = entry.State, v1alpha1.ReasonSuspended
		m.Message = "it is not in the store, and spec.suspend prevents its installation: unset spec.suspend, or set spec.requireInitialSync to false to release the node without it"
	case entry.State != v1alpha1.StateInstalled:
		m.State, m.Reason, m.Message = entry.State, entry.Reason, entry.Message
	default:
		m.Message = "it is not in the store yet"
	}
	return m, true
}
