package rollup

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// cannotWrite is a node whose Lease says since when its agent has not been able to write its report.
func cannotWrite(name string, since time.Time, entries ...v1alpha1.CertificateEntry) facts {
	f := testNode(name, entries...)
	f.lease.Annotations = map[string]string{"vaultpane.dev/report-unwritten-since": since.UTC().Format(time.RFC3339)}
	return f
}

// The report says that the certificate is installed, but it is outdated: the agent renews its Lease and may not write reports.
func TestAnOutdatedReportDoesNotCount(t *testing.T) {
	const outdated = "the node's agent has not been able to write its report since 2026-06-01T11:58:00Z, so its last report is outdated: check the error in its log, and that its service account may create and update NodeCertificateStates"
	x := fleet{{1, one}}.index(t, testDesired())
	if changed := x.observeNode("n001", cannotWrite("n001", noon.Add(-2*time.Minute), one), noon); len(changed) != 1 {
		t.Fatalf("the Lease changes %v, want web", changed)
	}
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if got, want := conditionOf(status, v1alpha1.ConditionReady), "False AgentNotReporting: 1 of 1 node pending: AgentNotReporting (1)"; got != want {
		t.Errorf("Ready is %s, want %s", got, want)
	}
	want := []v1alpha1.NodeFailure{{Node: "n001", Reason: v1alpha1.ReasonAgentNotReporting, Message: outdated}}
	if diff := cmp.Diff(want, status.Failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	got := gauges(t, x, noon)
	for _, line := range []string{"certificate_ready{web} 0", "certificate_nodes{web,AgentNotReporting,pending} 1", "agent_nodes{not_reporting} 1", "agent_nodes{reporting} 0"} {
		if !slices.Contains(got, line) {
			t.Errorf("no %s in %q", line, got)
		}
	}
	x.observeNode("n001", testNode("n001", one), noon)
	if ready := readyOf(statusFrom(x, status, time.Hour, noon)); ready.Reason != string(v1alpha1.ReasonInstalled) {
		t.Errorf("after it can write again, Ready is %s %s", ready.Status, ready.Reason)
	}
}

// A node whose agent has never been able to write its report does not count as new.
func TestANewNodeWhoseAgentCannotWrite(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	f := cannotWrite("n", noon.Add(-2*time.Minute))
	f.state = nil
	x.observeNode("n", f, noon)
	if ready := readyOf(statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)); ready.Reason != string(v1alpha1.ReasonAgentNotReporting) {
		t.Errorf("Ready is %s %s", ready.Status, ready.Reason)
	}
}
