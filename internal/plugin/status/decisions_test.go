package status

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

func TestStateOfACertificate(t *testing.T) {
	ready := func(status metav1.ConditionStatus, reason string) metav1.Condition {
		return condition(v1alpha1.ConditionReady, status, reason, "", time.Hour)
	}
	for _, test := range []struct {
		name        string
		conditions  []metav1.Condition
		suspend     bool
		generation  int64 // of the spec; the status is of 1
		state       State
		level       terminal.Level
		needsAction bool
	}{
		{"installed", []metav1.Condition{ready("True", "Installed")}, false, 1, StateInstalled, terminal.Good, false},
		{"rolling out", []metav1.Condition{ready("Unknown", "RollingOut")}, false, 1, StateRollingOut, terminal.Busy, false},
		{"failed", []metav1.Condition{ready("False", "Conflict")}, false, 1, StateFailed, terminal.Bad, true},
		{"failed, and the spec has changed", []metav1.Condition{ready("False", "Conflict")}, false, 2, StateFailed, terminal.Bad, true},
		{"installed, and the spec has changed", []metav1.Condition{ready("True", "Installed")}, false, 2, StateUnprocessed, terminal.Busy, false},
		{"no status yet", nil, false, 1, StateUnprocessed, terminal.Busy, false},
		{"no nodes", []metav1.Condition{ready("Unknown", "NoNodesSelected")}, false, 1, StateNoNodes, terminal.Unknown, false},
		{"suspended", []metav1.Condition{ready("True", "Suspended")}, true, 1, StateSuspended, terminal.Unknown, false},
		{"suspended while a node has none", []metav1.Condition{ready("False", "Suspended")}, true, 1, StateFailed, terminal.Bad, true},
		{"polls fail", []metav1.Condition{ready("True", "Installed"), condition(v1alpha1.ConditionSyncFailing, "True", "Throttled", "", 0)}, false, 1, StateInstalled, terminal.Warning, true},
		{"expires soon", []metav1.Condition{ready("True", "Installed"), condition(v1alpha1.ConditionExpiringSoon, "True", "ExpiringSoon", "", 0)}, false, 1, StateInstalled, terminal.Warning, true},
		{"a link was declined", []metav1.Condition{ready("True", "Installed"), condition(v1alpha1.ConditionLinkDeclined, "True", "LinkDeclined", "", 0)}, false, 1, StateInstalled, terminal.Warning, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := observed("web", nil, 1, 0, 0, test.conditions...)
			c.Spec.Suspend, c.Generation = test.suspend, test.generation
			view := certificateOf(&c)
			if view.State != test.state || view.level() != test.level || view.needsAction() != test.needsAction {
				t.Errorf("state %s, level %d, needs action %t", view.State, view.level(), view.needsAction())
			}
		})
	}
}

func TestStateOfAnEntry(t *testing.T) {
	web := web()
	current := v1alpha1.CertificateEntry{Name: "web", Generation: 1, Version: newVersion, Thumbprint: newPrint, NotAfter: after(day)}
	change := func(change func(*v1alpha1.CertificateEntry)) v1alpha1.CertificateEntry {
		entry := current
		change(&entry)
		return entry
	}
	for _, test := range []struct {
		name   string
		entry  v1alpha1.CertificateEntry
		c      *v1alpha1.ObservedCertificate
		state  string
		reason v1alpha1.Reason
		level  terminal.Level
		fails  bool
	}{
		{"installed", current, &web, "Installed", "", terminal.Good, false},
		{"an older version", change(func(e *v1alpha1.CertificateEntry) { e.Thumbprint = oldPrint }), &web, "Pending", v1alpha1.ReasonSuperseded, terminal.Busy, false},
		{"an older version, as the node knows", change(func(e *v1alpha1.CertificateEntry) { e.Thumbprint = oldPrint }), nil, "Installed", "", terminal.Good, false},
		{"an older spec", change(func(e *v1alpha1.CertificateEntry) { e.Generation = 0 }), &web, "Pending", v1alpha1.ReasonPending, terminal.Busy, false},
		{"nothing yet", v1alpha1.CertificateEntry{Name: "web", Generation: 1}, &web, "Pending", v1alpha1.ReasonPending, terminal.Busy, false},
		{"failed", change(func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied
		}), &web, "Failed", v1alpha1.ReasonAccessDenied, terminal.Bad, true},
		{"retrying", change(func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StatePending, v1alpha1.ReasonThrottled
		}), &web, "Pending", v1alpha1.ReasonThrottled, terminal.Bad, true},
		{"polls fail", change(func(e *v1alpha1.CertificateEntry) { e.Reason = v1alpha1.ReasonThrottled }), &web, "Installed", v1alpha1.ReasonThrottled, terminal.Warning, true},
		{"a link was declined", change(func(e *v1alpha1.CertificateEntry) { e.Reason = v1alpha1.ReasonLinkDeclined }), &web, "Installed", v1alpha1.ReasonLinkDeclined, terminal.Warning, false},
		{"suspended", change(func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StateSuspended, v1alpha1.ReasonSuspended
		}), &web, "Suspended", v1alpha1.ReasonSuspended, terminal.Unknown, false},
		{"expired", change(func(e *v1alpha1.CertificateEntry) { e.NotAfter = before(time.Second) }), &web, "Failed", v1alpha1.ReasonExpired, terminal.Bad, true},
		{"a reason that this version does not know", change(func(e *v1alpha1.CertificateEntry) { e.State, e.Reason = v1alpha1.StatePending, "Unheard" }), &web, "Pending", "Unheard", terminal.Bad, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := entryOf(test.entry, test.c, now)
			if e.State != test.state || e.Reason != test.reason || e.level != test.level || e.fails() != test.fails {
				t.Errorf("state %s, reason %q, level %d, fails %t", e.State, e.Reason, e.level, e.fails())
			}
		})
	}
}

func TestTheControllerKnowsWhichAgentsDoNotReport(t *testing.T) {
	lost := v1alpha1.NodeFailure{Node: "win-1", Reason: v1alpha1.ReasonAgentNotReporting, Message: "the node's agent has not renewed its Lease since yesterday"}
	never := v1alpha1.NodeFailure{Node: "win-9", Reason: v1alpha1.ReasonAgentNotReporting, Message: "the node's agent has never reported"}
	for status, level := range map[metav1.ConditionStatus]terminal.Level{metav1.ConditionFalse: terminal.Bad, metav1.ConditionUnknown: terminal.Busy} {
		c := observed("web", after(day), 1, 0, 3, condition(v1alpha1.ConditionReady, status, "AgentNotReporting", "", time.Hour))
		c.Status.Failures = []v1alpha1.NodeFailure{lost, never}
		reported := map[string]Reported{}
		for _, node := range []string{"win-0", "win-1"} {
			reported[node] = Reported{Certificates: map[string]v1alpha1.CertificateEntry{"web": {Name: "web", Generation: 1, Thumbprint: newPrint}}}
		}
		detail := NewDetails([]v1alpha1.ObservedCertificate{c}, reported, now).Certificates[0]
		if len(detail.Entries) != 3 || detail.Unreported != 1 {
			t.Fatalf("%d entries and %d unreported, want 3 and 1", len(detail.Entries), detail.Unreported)
		}
		for i, want := range []v1alpha1.NodeFailure{lost, never} {
			if e := detail.Entries[i]; e.Node != want.Node || e.State != "Pending" || e.Reason != want.Reason || e.Message != want.Message || e.level != level {
				t.Errorf("Ready is %s: %+v", status, e)
			}
		}
	}
}

func TestAReasonIsSaidOnce(t *testing.T) {
	expired := observed("web", before(day), 0, 1, 0,
		condition(v1alpha1.ConditionReady, "False", "Expired", "1 of 1 node failed: Expired (1)", day),
		condition(v1alpha1.ConditionExpiringSoon, "True", "Expired", "1 node has a certificate that expired", day))
	problems := problemsOf([]v1alpha1.ObservedCertificate{expired})
	if len(problems) != 1 || len(problems[0].Certificates) != 1 || problems[0].Certificates[0].Condition != v1alpha1.ConditionReady {
		t.Errorf("got %+v", problems)
	}
}
