package startuptaint

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// wait is the reason why the startup taint remains on a node. The zero value means that it is removed.
type wait struct {
	noReport     bool      // the agent has not reported for this very node yet
	noAgent      bool      // and by the node's labels no agent runs there
	unwritten    time.Time // since when the agent has not been able to write its report
	certificates []missing // failed ones first, then by name
	refused      string    // why the API server refused to remove the taint
}

// missing is a certificate that a node waits for.
type missing struct {
	name    string
	state   v1alpha1.CertificateState
	reason  v1alpha1.Reason
	message string
}

func (w wait) done() bool { return !w.noReport && len(w.certificates) == 0 && w.refused == "" }

// needsAction reports whether a person must act before the wait ends.
func (w wait) needsAction() bool {
	return w.noAgent || !w.unwritten.IsZero() || w.refused != "" ||
		len(w.certificates) > 0 && w.certificates[0].state != v1alpha1.StatePending
}

// decide returns what a node waits for: the report of its agent, and in it every required certificate. A report does not count
// if it is about an earlier node of the same name, or while the agent cannot write a newer one (unwritten is since when, zero
// for never).
//
// An entry has the name and generation of its ObservedCertificate, not its UID. If an object is deleted and created again under
// its name, the entry of the old one counts for about a second, until the agent reports the new one.
func decide(node *corev1.Node, state *v1alpha1.NodeCertificateState, unwritten time.Time, certificates []v1alpha1.ObservedCertificate) wait {
	if !unwritten.IsZero() {
		return wait{noReport: true, unwritten: unwritten}
	}
	if state == nil || state.NodeUID != string(node.UID) {
		return wait{noReport: true}
	}
	var waiting wait
	for i := range certificates {
		if !requires(&certificates[i], node) {
			continue
		}
		if m, found := missingFrom(state, &certificates[i]); found {
			waiting.certificates = append(waiting.certificates, m)
		}
	}
	slices.SortFunc(waiting.certificates, func(a, b missing) int {
		return cmp.Or(cmp.Compare(severity(a), severity(b)), cmp.Compare(a.name, b.name))
	})
	return waiting
}

func severity(m missing) int {
	if m.state == v1alpha1.StatePending {
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
func missingFrom(state *v1alpha1.NodeCertificateState, certificate *v1alpha1.ObservedCertificate) (missing, bool) {
	report := state.Certificates
	m := missing{name: certificate.Name, state: v1alpha1.StatePending, reason: v1alpha1.ReasonPending}
	at := slices.IndexFunc(report, func(e v1alpha1.CertificateEntry) bool { return e.Name == certificate.Name })
	if at < 0 {
		m.message = "the node has not reported it yet"
		if omitted := state.Omitted; omitted != nil && omitted.Certificates > 0 {
			m.message = fmt.Sprintf("the node's report omits %d certificates because of its size: select fewer certificates for this node", omitted.Certificates)
		}
		return m, true
	}
	entry := report[at]
	switch {
	case entry.Generation != certificate.Generation:
		m.message = fmt.Sprintf("the node has not processed generation %d of the spec yet; it reports generation %d", certificate.Generation, entry.Generation)
	case entry.Thumbprint != "" && (entry.State == v1alpha1.StateInstalled || entry.State == v1alpha1.StateSuspended):
		return missing{}, false // a certificate that was suspended after its installation counts as installed
	case entry.State == v1alpha1.StateSuspended:
		m.state, m.reason = entry.State, v1alpha1.ReasonSuspended
		m.message = "it is not in the store, and spec.suspend prevents its installation: unset spec.suspend, or set spec.requireInitialSync to false to release the node without it"
	case entry.State != v1alpha1.StateInstalled:
		m.state, m.reason, m.message = entry.State, entry.Reason, entry.Message
	default:
		m.message = "it is not in the store yet"
	}
	return m, true
}
