package nodestate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/nodestate"
)

func TestTheSummaryNamesTheWorstAndNotTheFirst(t *testing.T) {
	entry := func(name string, state v1alpha1.CertificateState, reason v1alpha1.Reason) v1alpha1.CertificateEntry {
		return v1alpha1.CertificateEntry{Name: name, State: state, Reason: reason}
	}
	well := entry("a-well", v1alpha1.StateInstalled, "")
	tests := []struct {
		name    string
		entries []v1alpha1.CertificateEntry
		want    v1alpha1.NodeSummary
	}{
		{"nothing is there", nil, v1alpha1.NodeSummary{}},
		{"all is well", []v1alpha1.CertificateEntry{well}, v1alpha1.NodeSummary{}},
		{"a failed one is worse than one that tries again", []v1alpha1.CertificateEntry{
			entry("a", v1alpha1.StatePending, v1alpha1.ReasonThrottled), entry("b", v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied), well,
		}, v1alpha1.NodeSummary{Failing: 2, Reason: v1alpha1.ReasonAccessDenied, Certificate: "b"}},
		{"what needs another spec is worse than what waits", []v1alpha1.CertificateEntry{
			entry("a", v1alpha1.StateFailed, v1alpha1.ReasonSecretNotFound), entry("b", v1alpha1.StateFailed, v1alpha1.ReasonUnsupported),
		}, v1alpha1.NodeSummary{Failing: 2, Reason: v1alpha1.ReasonUnsupported, Certificate: "b"}},
		{"of the same reason the first by name", []v1alpha1.CertificateEntry{
			entry("b", v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied), entry("a", v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied),
		}, v1alpha1.NodeSummary{Failing: 2, Reason: v1alpha1.ReasonAccessDenied, Certificate: "a"}},
		{"installed with failing polls is failing", []v1alpha1.CertificateEntry{entry("a", v1alpha1.StateInstalled, v1alpha1.ReasonThrottled)},
			v1alpha1.NodeSummary{Failing: 1, Reason: v1alpha1.ReasonThrottled, Certificate: "a"}},
		{"failing polls are worse than what was not handled yet", []v1alpha1.CertificateEntry{
			entry("a", v1alpha1.StatePending, v1alpha1.ReasonPending), entry("b", v1alpha1.StateInstalled, v1alpha1.ReasonThrottled),
		}, v1alpha1.NodeSummary{Failing: 1, Reason: v1alpha1.ReasonThrottled, Certificate: "b"}},
		{"a declined link is reported and not failing", []v1alpha1.CertificateEntry{entry("a", v1alpha1.StateInstalled, v1alpha1.ReasonLinkDeclined)},
			v1alpha1.NodeSummary{Reason: v1alpha1.ReasonLinkDeclined, Certificate: "a"}},
		{"suspended is reported and not failing", []v1alpha1.CertificateEntry{entry("a", v1alpha1.StateSuspended, v1alpha1.ReasonSuspended)},
			v1alpha1.NodeSummary{Reason: v1alpha1.ReasonSuspended, Certificate: "a"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(&test.want, nodestate.Summarize(test.entries)); diff != "" {
				t.Errorf("summary (-want +got):\n%s", diff)
			}
		})
	}
}
