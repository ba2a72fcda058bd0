package ready

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestVerdicts(t *testing.T) {
	observed := func(suspend bool, generation int64, conditions ...metav1.Condition) *v1alpha1.ObservedCertificate {
		return &v1alpha1.ObservedCertificate{
			ObjectMeta: metav1.ObjectMeta{Name: "web", Generation: generation},
			Spec:       v1alpha1.ObservedCertificateSpec{Suspend: suspend},
			Status: v1alpha1.ObservedCertificateStatus{ObservedGeneration: 1, Conditions: conditions, Failures: []v1alpha1.NodeFailure{
				{Node: "win-1", Reason: v1alpha1.ReasonVaultNotAllowed, Message: "the host is not allowed"},
			}},
		}
	}
	condition := func(name string, status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: name, Status: status, Reason: reason, Message: "the message"}
	}
	ready := func(status metav1.ConditionStatus, reason string) metav1.Condition {
		return condition(v1alpha1.ConditionReady, status, reason)
	}
	stalled := condition(v1alpha1.ConditionStalled, metav1.ConditionTrue, "VaultNotAllowed")
	for _, test := range []struct {
		name string
		c    *v1alpha1.ObservedCertificate
		want Verdict
	}{
		{"deleted", nil, Verdict{Impossible: true, Text: "it was deleted"}},
		{"no status yet", observed(false, 1), Verdict{Text: "the controller has not processed generation 1 of the spec yet; if this lasts, 'kubectl vaultpane doctor' says why"}},
		{"ready for an older spec", observed(false, 2, ready("True", "Installed")), Verdict{Text: "the controller has not processed generation 2 of the spec yet; if this lasts, 'kubectl vaultpane doctor' says why"}},
		{"stalled for an older spec", observed(false, 2, ready("False", "VaultNotAllowed"), stalled), Verdict{Text: "the controller has not processed generation 2 of the spec yet; if this lasts, 'kubectl vaultpane doctor' says why"}},
		{"ready", observed(false, 1, ready("True", "Installed")), Verdict{Ready: true, Text: "Installed: the message"}},
		{"ready and suspended", observed(true, 1, ready("True", "Suspended")), Verdict{Ready: true, Text: "Suspended: the message"}},
		{"rolling out", observed(false, 1, ready("Unknown", "RollingOut")), Verdict{Text: "RollingOut: the message"}},
		{"no node is selected", observed(false, 1, ready("Unknown", "NoNodesSelected")), Verdict{Text: "NoNodesSelected: the message"}},
		{"failed, and retried", observed(false, 1, ready("False", "AccessDenied")), Verdict{Text: "AccessDenied: the message"}},
		{"the spec must change", observed(false, 1, ready("False", "VaultNotAllowed"), stalled), Verdict{Impossible: true, Text: "VaultNotAllowed: the message; on win-1: the host is not allowed; the spec must change"}},
		{"suspended while a node has none", observed(true, 1, ready("False", "Suspended")), Verdict{Impossible: true, Text: "Suspended: the message; 'kubectl vaultpane resume web' ends the suspension"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Of(test.c)); diff != "" {
				t.Error(diff)
			}
		})
	}
}
