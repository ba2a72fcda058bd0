package rollup

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// fleet is how many nodes report which entry. An entry with an empty name is a node that reports none.
type fleet []struct {
	count int
	entry v1alpha1.CertificateEntry
}

func (f fleet) index(t *testing.T, w desired) *index {
	t.Helper()
	x := newIndex(windows)
	x.observeCertificate(w, noon)
	number := 0
	for _, part := range f {
		for range part.count {
			number++
			var entries []v1alpha1.CertificateEntry
			if part.entry.Name != "" {
				entries = append(entries, part.entry)
			}
			name := fmt.Sprintf("n%03d", number)
			x.observeNode(name, testNode(name, entries...), noon)
		}
	}
	return x
}

func statusFrom(x *index, previous v1alpha1.ObservedCertificateStatus, expiringSoon time.Duration, now time.Time) v1alpha1.ObservedCertificateStatus {
	w, s, named, _ := x.snapshot("web", expiringSoon, now)
	return statusOf(previous, w, s, named, expiringSoon, now)
}

func TestTheStatusInOneLine(t *testing.T) {
	later := metav1.NewTime(nextDay.Add(time.Hour))
	two := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Version: "v2", Thumbprint: "T2", NotAfter: &later}
	suspended := with(one, func(e *v1alpha1.CertificateEntry) {
		e.State, e.Reason = v1alpha1.StateSuspended, v1alpha1.ReasonSuspended
	})
	tests := []struct {
		name    string
		fleet   fleet
		change  func(*desired)
		nodes   string
		version string
		ready   string
		message string
		others  string // Reconciling, Stalled
	}{
		{"all have it", fleet{{50, one}}, nil, "50/50", "v1", "True Installed", "installed on 50 of 50 nodes", "False False"},
		{"one has it", fleet{{1, one}}, nil, "1/1", "v1", "True Installed", "installed on 1 of 1 node", "False False"},
		{"no node is selected", fleet{{2, one}}, func(w *desired) { w.selector = labels.Nothing() }, "0/0", "", "Unknown NoNodesSelected", "no node matches spec.nodeSelector; 2 nodes run the agent", "False False"},
		{"there is no node", nil, nil, "0/0", "", "Unknown NoNodesSelected", "no node runs the agent yet", "False False"},
		{"no node has it yet", fleet{{3, v1alpha1.CertificateEntry{}}}, nil, "0/3", "", "Unknown RollingOut", "3 of 3 nodes pending: Pending (3)", "True False"},
		{"a rotation", fleet{{31, two}, {19, one}}, nil, "31/50", "v2", "Unknown RollingOut", "19 of 50 nodes pending: Superseded (19)", "True False"},
		{"another spec", fleet{{2, one}}, func(w *desired) { w.generation = 4 }, "0/2", "v1", "Unknown RollingOut", "2 of 2 nodes pending: Pending (2)", "True False"},
		{"two failed", fleet{{48, one}, {2, failing(v1alpha1.ReasonAccessDenied)}}, nil, "48/50", "v1", "False AccessDenied", "2 of 50 nodes failed: AccessDenied (2)", "True False"},
		{"failed and pending", fleet{{45, two}, {2, failing(v1alpha1.ReasonAccessDenied)}, {3, one}}, nil, "45/50", "v2", "False AccessDenied", "2 of 50 nodes failed: AccessDenied (2); 3 pending: Superseded (3)", "True False"},
		{"a terminal reason is worse than many others", fleet{{1, failing(v1alpha1.ReasonUnsupported)}, {9, failing(v1alpha1.ReasonSecretNotFound)}}, nil,
			"0/10", "v1", "False Unsupported", "10 of 10 nodes failed: Unsupported (1), SecretNotFound (9)", "False True"},
		{"many reasons", fleet{{1, failing(v1alpha1.ReasonAccessDenied)}, {2, failing(v1alpha1.ReasonSecretNotFound)}, {3, failing(v1alpha1.ReasonSecretDisabled)}, {4, failing(v1alpha1.ReasonMalformedSecret)}, {1, failing(v1alpha1.ReasonStoreFailure)}}, nil,
			"0/11", "v1", "False MalformedSecret", "11 of 11 nodes failed: MalformedSecret (4), SecretDisabled (3), SecretNotFound (2), others (2)", "True False"},
		{"a failure that resolves itself", fleet{{1, one}, {1, with(one, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StatePending, v1alpha1.ReasonThrottled
		})}}, nil, "1/2", "v1", "False Throttled", "1 of 2 nodes pending: Throttled (1)", "True False"},
		{"suspended", fleet{{2, suspended}}, func(w *desired) { w.suspended = true }, "2/2", "v1", "True Suspended", "installed on 2 of 2 nodes; suspended: nothing is polled or changed", "False False"},
		{"suspended too early", fleet{{1, suspended}, {1, v1alpha1.CertificateEntry{Name: "web", Generation: 3, State: v1alpha1.StateSuspended, Reason: v1alpha1.ReasonSuspended}}}, func(w *desired) { w.suspended = true },
			"1/2", "v1", "False Suspended", "1 of 2 nodes pending: Suspended (1); suspended: nothing is polled or changed", "False False"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := testDesired()
			if test.change != nil {
				test.change(&w)
			}
			status := statusFrom(test.fleet.index(t, w), v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
			ready := readyOf(status)
			if got := string(ready.Status) + " " + ready.Reason; got != test.ready {
				t.Errorf("Ready %s, want %s", got, test.ready)
			}
			if ready.Message != test.message {
				t.Errorf("message %q, want %q", ready.Message, test.message)
			}
			if status.Nodes.Summary != test.nodes || status.Version != test.version {
				t.Errorf("nodes %s, version %q, want %s, %q", status.Nodes.Summary, status.Version, test.nodes, test.version)
			}
			others := fmt.Sprint(meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReconciling).Status, " ", meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionStalled).Status)
			if others != test.others {
				t.Errorf("Reconciling and Stalled are %s, want %s", others, test.others)
			}
			if n := status.Nodes; n.Matched != n.Installed+n.Failed+n.Pending {
				t.Errorf("the counts do not add up: %+v", n)
			}
			for _, condition := range status.Conditions {
				if condition.ObservedGeneration != w.generation {
					t.Errorf("%s is of generation %d", condition.Type, condition.ObservedGeneration)
				}
			}
		})
	}
}

func TestTheNewestVersionIsTheOneThatNodesChangeTo(t *testing.T) {
	shorter := metav1.NewTime(noon.Add(time.Hour)) // from a validity of a year to one of a month
	two := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Version: "v2", Thumbprint: "T2", NotAfter: &shorter}
	x := fleet{{3, one}}.index(t, testDesired())
	x.observeNode("n001", testNode("n001", two), noon)
	if status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, 0, noon); status.Version != "v2" || status.Nodes.Summary != "1/3" {
		t.Errorf("while it rolls out: version %s on %s, want v2 on 1/3", status.Version, status.Nodes.Summary)
	}
	for _, name := range []string{"n001", "n002", "n003"} {
		x.observeNode(name, testNode(name, two), noon)
	}
	for _, name := range []string{"n001", "n002"} { // the version was disabled, and the vault returns the previous one again
		x.observeNode(name, testNode(name, one), noon)
	}
	if status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, 0, noon); status.Version != "v1" || status.Nodes.Summary != "2/3" {
		t.Errorf("after the roll-back: version %s on %s, want v1 on 2/3", status.Version, status.Nodes.Summary)
	}
}

func TestOneFailingNodeWithAnOldCertificateIsNotTheNewest(t *testing.T) {
	far := metav1.NewTime(noon.Add(1000 * time.Hour))
	stuck := failing(v1alpha1.ReasonAccessDenied)
	stuck.Version, stuck.Thumbprint, stuck.NotAfter = "v0", "T0", &far
	status := statusFrom(fleet{{49, one}, {1, stuck}}.index(t, testDesired()), v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if status.Version != "v1" || status.Nodes.Summary != "49/50" {
		t.Errorf("version %s on %s, want v1 on 49/50", status.Version, status.Nodes.Summary)
	}
}

func TestFailuresAreTheWorstTenByName(t *testing.T) {
	status := statusFrom(fleet{{8, failing(v1alpha1.ReasonStoreFailure)}, {8, failing(v1alpha1.ReasonAccessDenied)}, {1, failing(v1alpha1.ReasonUnsupported)}}.index(t, testDesired()),
		v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	want := []string{"n017", "n009", "n010", "n011", "n012", "n013", "n014", "n015", "n016", "n001"}
	var got []string
	for _, failure := range status.Failures {
		got = append(got, failure.Node)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestExpiryIsThatOfInstalledCertificates(t *testing.T) {
	x := fleet{{49, one}}.index(t, testDesired())
	soon := metav1.NewTime(noon.Add(2 * time.Hour))
	stuck := failing(v1alpha1.ReasonAccessDenied)
	stuck.Version, stuck.Thumbprint, stuck.NotAfter = "v0", "T0", &soon
	x.observeNode("stuck", testNode("stuck", stuck), noon)
	tests := []struct {
		name, want string
		now        time.Time
		ready      string
	}{
		{"far away", "False Valid no node has a certificate that expires before 2026-06-01T14:00:00Z", noon, "AccessDenied"},
		{"within the hour", "True ExpiringSoon 1 node has a certificate that expires on 2026-06-01T14:00:00Z", noon.Add(time.Hour), "AccessDenied"},
		{"past", "True Expired 1 node has a certificate that expired on 2026-06-01T14:00:00Z", noon.Add(2 * time.Hour), "AccessDenied"},
		{"all past", "True Expired 1 node has a certificate that expired on 2026-06-01T14:00:00Z", noon.Add(25 * time.Hour), "Expired"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, test.now)
			condition := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionExpiringSoon)
			if got := string(condition.Status) + " " + condition.Reason + " " + condition.Message; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if reason := readyOf(status).Reason; reason != test.ready {
				t.Errorf("Ready says %s, want %s", reason, test.ready)
			}
		})
	}
	x.snapshot("web", time.Hour, noon)
	if changed := x.tick(noon.Add(time.Hour)); len(changed) == 0 {
		t.Error("the index does not report that the certificate is near expiry")
	}
}

func TestEventsBetweenTwoStatuses(t *testing.T) {
	later := metav1.NewTime(nextDay.Add(time.Hour))
	two := v1alpha1.CertificateEntry{Name: "web", Generation: 3, Version: "v2", Thumbprint: "T2", NotAfter: &later}
	none := v1alpha1.CertificateEntry{}
	steps := []struct {
		name  string
		fleet fleet
		at    time.Duration
		want  []string
	}{
		{"created", fleet{{2, none}}, 0, nil},
		{"the first node has it", fleet{{1, one}, {1, none}}, time.Second, []string{"Normal RolloutStarted version v1, thumbprint T1, valid until 2026-06-02T12:00:00Z, for 2 nodes"}},
		{"the second too", fleet{{2, one}}, 3 * time.Second, []string{"Normal RolloutCompleted installed on 2 of 2 nodes, thumbprint T1, in 2s"}},
		{"no change", fleet{{2, one}}, 4 * time.Second, nil},
		{"one fails", fleet{{1, one}, {1, failing(v1alpha1.ReasonAccessDenied)}}, 5 * time.Second, []string{"Warning AccessDenied 1 of 2 nodes; on n002: "}},
		{"the other too", fleet{{2, failing(v1alpha1.ReasonAccessDenied)}}, 6 * time.Second, nil},
		{"a second reason", fleet{{1, failing(v1alpha1.ReasonSecretNotFound)}, {1, failing(v1alpha1.ReasonAccessDenied)}}, 7 * time.Second, []string{"Warning SecretNotFound 1 of 2 nodes; on n001: "}},
		{"both recover", fleet{{2, one}}, 65 * time.Second, nil},
		{"and fails again", fleet{{1, one}, {1, failing(v1alpha1.ReasonAccessDenied)}}, 66 * time.Second, nil},
		{"and recovers, with another node", fleet{{3, one}}, 67 * time.Second, nil},
		{"a rotation at once", fleet{{2, two}}, 10 * time.Minute, []string{
			"Normal RolloutStarted version v2, thumbprint T2, valid until 2026-06-02T13:00:00Z, for 2 nodes", "Normal RolloutCompleted installed on 2 of 2 nodes, thumbprint T2"}},
		{"near expiry", fleet{{2, two}}, 24 * time.Hour, []string{"Warning ExpiringSoon 2 nodes have a certificate that expires on 2026-06-02T13:00:00Z"}},
		{"expired", fleet{{2, two}}, 25 * time.Hour, []string{
			"Warning Expired 2 of 2 nodes; on n001: certificate T2 on the node expired on 2026-06-02T13:00:00Z; renew it in the vault"}},
	}
	before := v1alpha1.ObservedCertificateStatus{}
	history := historyFrom("u", before, noon)
	for _, step := range steps {
		now := noon.Add(step.at)
		x := step.fleet.index(t, testDesired())
		_, s, named, _ := x.snapshot("web", time.Hour, now)
		after := statusFrom(x, before, time.Hour, now)
		var got []string
		for _, event := range history.eventsBetween(before, after, s, named, now) {
			got = append(got, event.kind+" "+event.reason+" "+event.note)
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", step.want) {
			t.Errorf("%s:\n got %q\nwant %q", step.name, got, step.want)
		}
		before = after
	}
	again := historyFrom("u", before, noon)
	if repeated := again.newFailures([]reasonCount{{phase: failed, reason: v1alpha1.ReasonExpired, count: 2}}, noon); len(repeated) != 0 {
		t.Errorf("a new controller repeats the events that the status implies: %v", repeated)
	}
}
