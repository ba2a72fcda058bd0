package rollup

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// cannotWrite is a node whose Lease says since when its agent cannot write its report.
func cannotWrite(name string, since time.Time, entries ...v1alpha1.CertificateEntry) facts {
	f := theNode(name, entries...)
	f.lease.Annotations = map[string]string{"vaultpane.dev/report-unwritten-since": since.UTC().Format(time.RFC3339)}
	return f
}

// The report says that all is well, but it is old: the agent lives and may not write.
func TestAReportThatCannotBeWrittenCountsAsNone(t *testing.T) {
	const silence = "the node's agent has not been able to write its report since 2026-06-01T11:58:00Z, so what is known of the node is older; look at the error in its log, and whether its service account may create and update NodeCertificateStates"
	x := fleet{{1, one}}.index(t, theWish())
	if changed := x.observeNode("n001", cannotWrite("n001", noon.Add(-2*time.Minute), one), noon); len(changed) != 1 {
		t.Fatalf("the Lease changes %v, want web", changed)
	}
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if got, want := conditionOf(status, v1alpha1.ConditionReady), "False AgentNotReporting: 1 of 1 node pending: AgentNotReporting (1)"; got != want {
		t.Errorf("Ready is %s, want %s", got, want)
	}
	want := []v1alpha1.NodeFailure{{Node: "n001", Reason: v1alpha1.ReasonAgentNotReporting, Message: silence}}
	if diff := cmp.Diff(want, status.Failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	got := gauges(t, x, noon)
	for _, line := range []string{"certificate_ready{web} 0", "certificate_nodes{web,AgentNotReporting,pending} 1", "agent_nodes{silent} 1", "agent_nodes{reporting} 0"} {
		if !slices.Contains(got, line) {
			t.Errorf("no %s in %q", line, got)
		}
	}
	x.observeNode("n001", theNode("n001", one), noon)
	if ready := readyOf(statusFrom(x, status, time.Hour, noon)); ready.Reason != string(v1alpha1.ReasonInstalled) {
		t.Errorf("when it can write again, Ready is %s %s", ready.Status, ready.Reason)
	}
}

// An agent that has never been able to write is not a node that is only new.
func TestANewNodeWhoseAgentCannotWrite(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(theWish(), noon)
	f := cannotWrite("n", noon.Add(-2*time.Minute))
	f.state = nil
	x.observeNode("n", f, noon)
	if ready := readyOf(statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)); ready.Reason != string(v1alpha1.ReasonAgentNotReporting) {
		t.Errorf("Ready is %s %s", ready.Status, ready.Reason)
	}
}
