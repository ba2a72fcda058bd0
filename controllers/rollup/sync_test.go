package rollup

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// unsynced is an entry of a node that has the certificate and whose polls fail.
func unsynced(reason v1alpha1.Reason) v1alpha1.CertificateEntry {
	return with(one, func(e *v1alpha1.CertificateEntry) { e.Reason, e.Message = reason, "vault shop: "+string(reason) })
}

func conditionOf(status v1alpha1.ObservedCertificateStatus, name string) string {
	condition := meta.FindStatusCondition(status.Conditions, name)
	if condition == nil {
		return name + " is missing"
	}
	return fmt.Sprint(condition.Status, " ", condition.Reason, ": ", condition.Message)
}

func TestTheStatusOfANodeWhosePollsFail(t *testing.T) {
	older := held{version: "v0", thumbprint: "T0", notAfter: nextDay.Unix()}
	nearExpiry := nextDay.Add(-time.Hour)
	tests := []struct {
		name    string
		entry   v1alpha1.CertificateEntry
		current held
		now     time.Time
		want    nodeStatus
		fails   bool // counts for SyncFailing
	}{
		{"far from expiry it is installed", unsynced(v1alpha1.ReasonThrottled), has1, noon,
			nodeStatus{reason: v1alpha1.ReasonInstalled, sync: v1alpha1.ReasonThrottled, held: has1}, true},
		{"a second before it is near expiry", unsynced(v1alpha1.ReasonThrottled), has1, nearExpiry.Add(-time.Second),
			nodeStatus{reason: v1alpha1.ReasonInstalled, sync: v1alpha1.ReasonThrottled, held: has1}, true},
		{"near expiry it is pending for a failure that resolves itself", unsynced(v1alpha1.ReasonThrottled), has1, nearExpiry,
			nodeStatus{phase: pending, reason: v1alpha1.ReasonThrottled, sync: v1alpha1.ReasonThrottled, held: has1}, true},
		{"near expiry it has failed where a person must act", unsynced(v1alpha1.ReasonAccessDenied), has1, nearExpiry,
			nodeStatus{phase: failed, reason: v1alpha1.ReasonAccessDenied, sync: v1alpha1.ReasonAccessDenied, held: has1}, true},
		{"after expiry it has expired", unsynced(v1alpha1.ReasonAccessDenied), has1, nextDay.Time,
			nodeStatus{phase: failed, reason: v1alpha1.ReasonExpired, sync: v1alpha1.ReasonAccessDenied, held: has1}, false},
		{"other nodes have a newer version", unsynced(v1alpha1.ReasonThrottled), older, noon,
			nodeStatus{phase: pending, reason: v1alpha1.ReasonThrottled, sync: v1alpha1.ReasonThrottled, held: has1}, true},
		{"a declined link is not a failing poll", unsynced(v1alpha1.ReasonLinkDeclined), has1, nearExpiry,
			nodeStatus{reason: v1alpha1.ReasonInstalled, linkDeclined: true, held: has1}, false},
		{"a newer version that becomes active later is not a failing poll", unsynced(v1alpha1.ReasonSecretNotYetValid), has1, nearExpiry,
			nodeStatus{reason: v1alpha1.ReasonInstalled, held: has1}, false},
		{"a reason that is not in the table", unsynced("Disk is full!"), has1, noon,
			nodeStatus{reason: v1alpha1.ReasonInstalled, sync: v1alpha1.ReasonInternalError, held: has1}, true},
		{"not valid yet", with(one, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StatePending, v1alpha1.ReasonNotYetValid
		}), has1, noon, nodeStatus{phase: pending, reason: v1alpha1.ReasonNotYetValid, held: has1}, false},
		{"suspended", with(one, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StateSuspended, v1alpha1.ReasonSuspended
		}), has1, nearExpiry, nodeStatus{reason: v1alpha1.ReasonSuspended, held: has1}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := nodeStatus{held: heldOf(test.entry)}
			s.read(test.entry)
			got := s.at(test.now, time.Hour, target{current: test.current})
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(nodeStatus{}, held{})); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
			if got.pollsFail(test.now) != test.fails {
				t.Errorf("polls fail: %v, want %v", !test.fails, test.fails)
			}
		})
	}
}

func TestFailingPollsSetACondition(t *testing.T) {
	declined := with(one, func(e *v1alpha1.CertificateEntry) {
		e.Reason, e.Message = v1alpha1.ReasonLinkDeclined, "v0 has the name old.example"
	})
	tests := []struct {
		name   string
		fleet  fleet
		change func(*desired)
		want   []string // Ready, SyncFailing, LinkDeclined, Reconciling
	}{
		{"all nodes are ready", fleet{{50, one}}, nil, []string{
			"True Installed: installed on 50 of 50 nodes", "False Synced: polls fail on no node that has a valid certificate",
			"False NotEnabled: spec.linkOnRenewal is not set", "False Installed: installed on 50 of 50 nodes"}},
		{"the vault throttles two", fleet{{48, one}, {2, unsynced(v1alpha1.ReasonThrottled)}}, nil, []string{
			"True Installed: installed on 50 of 50 nodes",
			"True Throttled: polls fail on 2 of 50 nodes where a valid certificate is installed, so a renewal would not be installed: Throttled (2); on n049: vault shop: Throttled; also on n050",
			"False NotEnabled: spec.linkOnRenewal is not set", "False Installed: installed on 50 of 50 nodes"}},
		{"many fail for several reasons", fleet{{5, unsynced(v1alpha1.ReasonThrottled)}, {1, unsynced(v1alpha1.ReasonAccessDenied)}}, nil, []string{
			"True Installed: installed on 6 of 6 nodes",
			"True AccessDenied: polls fail on 6 of 6 nodes where a valid certificate is installed, so a renewal would not be installed: AccessDenied (1), Throttled (5); on n006: vault shop: AccessDenied; also on n001, n002; and on 3 more",
			"False NotEnabled: spec.linkOnRenewal is not set", "False Installed: installed on 6 of 6 nodes"}},
		{"a reason that needs a change of the spec does not stall while everything is installed", fleet{{1, unsynced(v1alpha1.ReasonVaultNotAllowed)}}, nil, []string{
			"True Installed: installed on 1 of 1 node",
			"True VaultNotAllowed: polls fail on 1 of 1 node where a valid certificate is installed, so a renewal would not be installed: VaultNotAllowed (1); on n001: vault shop: VaultNotAllowed",
			"False NotEnabled: spec.linkOnRenewal is not set", "False Installed: installed on 1 of 1 node"}},
		{"links are declined", fleet{{1, one}, {2, declined}}, func(w *desired) { w.links = true }, []string{
			"True Installed: installed on 3 of 3 nodes", "False Synced: polls fail on no node that has a valid certificate",
			"True LinkDeclined: an older version is not linked to the current one on 2 of 3 nodes; on n002: v0 has the name old.example; and on 1 more",
			"False Installed: installed on 3 of 3 nodes"}},
		{"links are made", fleet{{1, one}}, func(w *desired) { w.links = true }, []string{
			"True Installed: installed on 1 of 1 node", "False Synced: polls fail on no node that has a valid certificate",
			"False NoneDeclined: no link from an older version was declined", "False Installed: installed on 1 of 1 node"}},
		{"nothing is installed", fleet{{1, v1alpha1.CertificateEntry{}}}, nil, []string{
			"Unknown RollingOut: 1 of 1 node pending: Pending (1)", "False NotInstalled: no node has a certificate yet",
			"False NotEnabled: spec.linkOnRenewal is not set", "True RollingOut: 1 of 1 node pending: Pending (1)"}},
		{"suspended", fleet{{1, with(one, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StateSuspended, v1alpha1.ReasonSuspended
		})}}, func(w *desired) { w.suspended = true }, []string{
			"True Suspended: installed on 1 of 1 node; suspended: nothing is polled or changed", "False Suspended: suspended: nothing is polled",
			"False NotEnabled: spec.linkOnRenewal is not set", "False Suspended: installed on 1 of 1 node; suspended: nothing is polled or changed"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := testDesired()
			if test.change != nil {
				test.change(&w)
			}
			status := statusFrom(test.fleet.index(t, w), v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
			var got []string
			for _, name := range []string{v1alpha1.ConditionReady, v1alpha1.ConditionSyncFailing, v1alpha1.ConditionLinkDeclined, v1alpha1.ConditionReconciling} {
				got = append(got, conditionOf(status, name))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
			if stalled := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionStalled); stalled.Status != metav1.ConditionFalse {
				t.Errorf("Stalled is %s", stalled.Status)
			}
			if len(status.Failures) != int(status.Nodes.Matched-status.Nodes.Installed) {
				t.Errorf("failures %+v", status.Failures)
			}
		})
	}
}

// Time alone brings a certificate near expiry, without a report in between.
func TestFailingPollsChangeReadyNearExpiry(t *testing.T) {
	x := fleet{{1, one}, {1, unsynced(v1alpha1.ReasonAccessDenied)}}.index(t, testDesired())
	before := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if ready := readyOf(before); ready.Status != metav1.ConditionTrue {
		t.Fatalf("Ready is %s %s", ready.Status, ready.Reason)
	}
	near := nextDay.Add(-time.Hour)
	renewed := metav1.NewMicroTime(near)
	for _, name := range []string{"n001", "n002"} { // the agents renew their Leases
		entry := map[string]v1alpha1.CertificateEntry{"n001": one, "n002": unsynced(v1alpha1.ReasonAccessDenied)}[name]
		f := testNode(name, entry)
		f.lease.Spec.RenewTime = &renewed
		x.observeNode(name, f, near)
	}
	if changed := x.tick(near.Add(-time.Second)); len(changed) != 0 {
		t.Errorf("a second before, %v changed", changed)
	}
	if changed := x.tick(near); len(changed) != 1 {
		t.Errorf("at the time, %v changed, want web", changed)
	}
	after := statusFrom(x, before, time.Hour, near)
	if got, want := conditionOf(after, v1alpha1.ConditionReady), "False AccessDenied: 1 of 2 nodes failed: AccessDenied (1)"; got != want {
		t.Errorf("Ready is %s, want %s", got, want)
	}
	want := []v1alpha1.NodeFailure{{Node: "n002", Reason: v1alpha1.ReasonAccessDenied, Message: "vault shop: AccessDenied"}}
	if diff := cmp.Diff(want, after.Failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

// After a restart the order of versions is not known: the version of a node that is behind is not the newest.
func TestANodeThatIsBehindDoesNotHaveTheNewestVersion(t *testing.T) {
	far := metav1.NewTime(nextDay.Add(1000 * time.Hour))
	stuck := with(unsynced(v1alpha1.ReasonAccessDenied), func(e *v1alpha1.CertificateEntry) {
		e.Version, e.Thumbprint, e.NotAfter = "v0", "T0", &far
	})
	status := statusFrom(fleet{{9, one}, {1, stuck}}.index(t, testDesired()), v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if got, want := status.Version+" "+conditionOf(status, v1alpha1.ConditionReady), "v1 False AccessDenied: 1 of 10 nodes failed: AccessDenied (1)"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestANewMessageOfAFailingPollChangesTheStatus(t *testing.T) {
	x := fleet{{1, unsynced(v1alpha1.ReasonAccessDenied)}}.index(t, testDesired())
	if changed := x.observeNode("n001", testNode("n001", unsynced(v1alpha1.ReasonAccessDenied)), noon); len(changed) != 0 {
		t.Errorf("the same report changes %v", changed)
	}
	other := with(unsynced(v1alpha1.ReasonAccessDenied), func(e *v1alpha1.CertificateEntry) { e.Message = "another identity" })
	if changed := x.observeNode("n001", testNode("n001", other), noon); len(changed) != 1 {
		t.Errorf("another message changes %v, want web", changed)
	}
}
