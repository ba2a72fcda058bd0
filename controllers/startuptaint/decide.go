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

// wait is what keeps the startup taint on a node. The zero value is nothing: the taint comes off.
type wait struct {
	agent        bool      // the agent has not reported for this very node yet
	agentless    bool      // and its labels say that none runs there
	unwritten    time.Time // or it has reported and cannot write what has changed since then
	certificates []missing // failed ones first, then by name
	refused      string    // why the API server does not let the taint go
}

// missing is a certificate that a node waits for.
type missing struct {
	name    string
	state   v1alpha1.CertificateState
	reason  v1alpha1.Reason
	message string
}

func (w wait) over() bool { return !w.agent && len(w.certificates) == 0 && w.refused == "" }

// failed tells whether someone must act before the wait ends.
func (w wait) failed() bool {
	return w.agentless || !w.unwritten.IsZero() || w.refused != "" ||
		len(w.certificates) > 0 && w.certificates[0].state != v1alpha1.StatePending
}

// decide returns what a node waits for: the report of its agent, and in it every certificate that requires it. A report
// counts when it is about this very node and not an earlier one of the same name, and not while the agent's Lease says since when
// it has not been able to write a newer one (unwritten, zero for never).
//
// An entry names its ObservedCertificate and generation, not its UID. So for the second or so that an agent takes to report
// an object that was deleted and made anew under its name, the entry of the old one counts.
func decide(node *corev1.Node, state *v1alpha1.NodeCertificateState, unwritten time.Time, certificates []v1alpha1.ObservedCertificate) wait {
	if !unwritten.IsZero() {
		return wait{agent: true, unwritten: unwritten}
	}
	if state == nil || state.NodeUID != string(node.UID) {
		return wait{agent: true}
	}
	var waiting wait
	for i := range certificates {
		if !required(&certificates[i], node) {
			continue
		}
		if lack, lacks := lacking(&certificates[i], state); lacks {
			waiting.certificates = append(waiting.certificates, lack)
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

// required tells whether a node with the taint waits for a certificate. A selector that cannot be read selects nothing, as
// for the agent; the API server lets none in.
func required(certificate *v1alpha1.ObservedCertificate, node *corev1.Node) bool {
	if !certificate.Spec.RequireInitialSync || !certificate.DeletionTimestamp.IsZero() {
		return false
	}
	selector, err := certificate.Spec.NodeSelector.AsSelector()
	return err == nil && selector.Matches(labels.Set(node.Labels))
}

// lacking tells what is missing of a certificate, as the report says. Installed is what the store holds, valid and as the spec of
// today wants it, even where the last polls failed. A report of a newer generation than the cache has is as good as none: the
// cache will follow.
func lacking(certificate *v1alpha1.ObservedCertificate, state *v1alpha1.NodeCertificateState) (missing, bool) {
	report := state.Certificates
	lack := missing{name: certificate.Name, state: v1alpha1.StatePending, reason: v1alpha1.ReasonPending}
	at := slices.IndexFunc(report, func(e v1alpha1.CertificateEntry) bool { return e.Name == certificate.Name })
	if at < 0 {
		lack.message = "the node has not reported it yet"
		if omitted := state.Omitted; omitted != nil && omitted.Certificates > 0 {
			lack.message = fmt.Sprintf("the node's report leaves out %d certificates for its size; select fewer certificates for the node", omitted.Certificates)
		}
		return lack, true
	}
	entry := report[at]
	switch {
	case entry.Generation != certificate.Generation:
		lack.message = fmt.Sprintf("the node has not acted on generation %d of the spec yet, it reports %d", certificate.Generation, entry.Generation)
	case entry.Thumbprint != "" && (entry.State == v1alpha1.StateInstalled || entry.State == v1alpha1.StateSuspended):
		return missing{}, false // what was suspended after it was installed is as its owner wants it
	case entry.State == v1alpha1.StateSuspended:
		lack.state, lack.reason = entry.State, v1alpha1.ReasonSuspended
		lack.message = "it is not in the store, and spec.suspend keeps it from being installed; end that, or set requireInitialSync to false to let the node go without it"
	case entry.State != v1alpha1.StateInstalled:
		lack.state, lack.reason, lack.message = entry.State, entry.Reason, entry.Message
	default:
		lack.message = "it is not in the store yet"
	}
	return lack, true
}
