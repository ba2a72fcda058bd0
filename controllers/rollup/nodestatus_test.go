package rollup

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

var (
	noon    = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	windows = labels.SelectorFromSet(labels.Set{"kubernetes.io/os": "windows"})
	nextDay = metav1.NewTime(noon.Add(24 * time.Hour))
	// one is the entry of a node that has the certificate.
	one  = v1alpha1.CertificateEntry{Name: "web", Generation: 3, Version: "v1", Thumbprint: "T1", NotAfter: &nextDay}
	has1 = held{version: "v1", thumbprint: "T1", notAfter: nextDay.Unix()}
)

// testDesired is an ObservedCertificate that is an hour old.
func testDesired() desired {
	return desired{name: "web", uid: "u", generation: 3, created: noon.Add(-time.Hour), selector: labels.Everything()}
}

// testNode is a Windows node that is an hour old, whose agent reported entries and renewed its Lease a minute ago.
func testNode(name string, entries ...v1alpha1.CertificateEntry) facts {
	uid, renewed := name+"-uid", metav1.NewMicroTime(noon.Add(-time.Minute))
	return facts{
		node: &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID(uid), Labels: labels.Set{"kubernetes.io/os": "windows"}, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour)),
		}},
		state: &v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: name}, NodeUID: uid, Certificates: entries},
		lease: &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &uid, RenewTime: &renewed}},
	}
}

// with returns the entry changed.
func with(entry v1alpha1.CertificateEntry, change func(*v1alpha1.CertificateEntry)) v1alpha1.CertificateEntry {
	change(&entry)
	return entry
}

func failing(reason v1alpha1.Reason) v1alpha1.CertificateEntry {
	return with(one, func(e *v1alpha1.CertificateEntry) { e.State, e.Reason = v1alpha1.StateFailed, reason })
}

func TestTheStatusOfANodeForACertificate(t *testing.T) {
	tests := []struct {
		name   string
		node   facts
		change func(*desired)
		want   nodeStatus
		not    bool // the certificate does not target the node
	}{
		{name: "installed", node: testNode("n", one), want: nodeStatus{reason: v1alpha1.ReasonInstalled, held: has1}},
		{name: "the certificate is not reported", node: testNode("n"), want: nodeStatus{phase: pending, reason: v1alpha1.ReasonPending}},
		{name: "the node has processed an older spec", node: testNode("n", one), change: func(w *desired) { w.generation = 4 }, want: nodeStatus{phase: pending, reason: v1alpha1.ReasonPending, held: has1}},
		{name: "it failed with an older spec", node: testNode("n", failing(v1alpha1.ReasonAccessDenied)), change: func(w *desired) { w.generation = 4 }, want: nodeStatus{phase: pending, reason: v1alpha1.ReasonPending, held: has1}},
		{name: "it failed", node: testNode("n", failing(v1alpha1.ReasonAccessDenied)), want: nodeStatus{phase: failed, reason: v1alpha1.ReasonAccessDenied, held: has1}},
		{name: "it retries", node: testNode("n", with(one, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StatePending, v1alpha1.ReasonThrottled
		})), want: nodeStatus{phase: pending, reason: v1alpha1.ReasonThrottled, held: has1}},
		{name: "suspended with a certificate", node: testNode("n", with(one, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason = v1alpha1.StateSuspended, v1alpha1.ReasonSuspended
		})), want: nodeStatus{reason: v1alpha1.ReasonSuspended, held: has1}},
		{name: "suspended without one", node: testNode("n", v1alpha1.CertificateEntry{Name: "web", Generation: 3, State: v1alpha1.StateSuspended, Reason: v1alpha1.ReasonSuspended}),
			want: nodeStatus{phase: pending, reason: v1alpha1.ReasonSuspended}},
		{name: "installed without a certificate", node: testNode("n", v1alpha1.CertificateEntry{Name: "web", Generation: 3}), want: nodeStatus{phase: pending, reason: v1alpha1.ReasonPending}},
		{name: "other labels", node: testNode("n", one), change: func(w *desired) { w.selector = labels.SelectorFromSet(labels.Set{"pool": "b"}) }, not: true},
		{name: "a state of an earlier node of that name", node: func() facts {
			f := testNode("n", one)
			f.state.NodeUID = "earlier"
			return f
		}(), want: nodeStatus{phase: pending, reason: v1alpha1.ReasonAgentNotReporting}},
		{name: "a node that has not reported for too long", node: func() facts {
			f := testNode("n")
			f.state, f.lease = nil, nil
			return f
		}(), want: nodeStatus{phase: pending, reason: v1alpha1.ReasonAgentNotReporting, stale: true}},
		{name: "a new node that has not reported", node: func() facts {
			f := testNode("n")
			f.state, f.lease, f.node.CreationTimestamp = nil, nil, metav1.NewTime(noon.Add(-time.Minute))
			return f
		}(), want: nodeStatus{phase: pending, reason: v1alpha1.ReasonAgentNotReporting}},
		{name: "a Lease of 15 minutes ago", node: func() facts {
			f := testNode("n", one)
			renewed := metav1.NewMicroTime(noon.Add(-15 * time.Minute))
			f.lease.Spec.RenewTime = &renewed
			return f
		}(), want: nodeStatus{phase: pending, reason: v1alpha1.ReasonAgentNotReporting, stale: true, held: has1}},
		{name: "a Lease of an earlier node of that name", node: func() facts {
			f := testNode("n", one)
			holder := "earlier"
			f.lease.Spec.HolderIdentity = &holder
			return f
		}(), want: nodeStatus{phase: pending, reason: v1alpha1.ReasonAgentNotReporting, stale: true, held: has1}},
		{name: "a Linux node", node: func() facts {
			f := testNode("n")
			f.node.Labels, f.state, f.lease = labels.Set{"kubernetes.io/os": "linux"}, nil, nil
			return f
		}(), not: true},
		{name: "a Linux node that an agent reports from", node: func() facts {
			f := testNode("n", one)
			f.node.Labels = labels.Set{"kubernetes.io/os": "linux"}
			return f
		}(), want: nodeStatus{reason: v1alpha1.ReasonInstalled, held: has1}},
		{name: "blocked by the startup taint", node: func() facts {
			f := testNode("n")
			f.node.Spec.Taints = []corev1.Taint{{Key: v1alpha1.StartupTaintKey, Effect: corev1.TaintEffectNoSchedule}}
			return f
		}(), change: func(w *desired) { w.initialSync = true }, want: nodeStatus{phase: pending, reason: v1alpha1.ReasonPending, blocked: true}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w, n := testDesired(), node{name: "n"}
			if test.change != nil {
				test.change(&w)
			}
			n.read(test.node, windows, noon)
			got, _, ok := evaluate(&n, &w, noon)
			if ok == test.not {
				t.Fatalf("the certificate targets the node: %v, want %v", ok, !test.not)
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(nodeStatus{}, held{})); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}

// Time alone must be enough to find a node that stopped reporting, without visiting every node to know when.
func TestANodeStopsReportingByTimeAlone(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	x.observeNode("n", testNode("n", one), noon)
	if changed := x.tick(noon.Add(13 * time.Minute)); len(changed) != 0 {
		t.Errorf("after 13 minutes %v changed", changed)
	}
	late := noon.Add(14*time.Minute + time.Second)
	if changed := x.tick(late); len(changed) != 1 {
		t.Errorf("15 minutes after the last renewal %v changed, want web", changed)
	}
	_, s, named, _ := x.snapshot("web", time.Hour, late)
	failures := named.failures
	if s.pending != 1 || len(failures) != 1 || failures[0].Reason != v1alpha1.ReasonAgentNotReporting {
		t.Errorf("got %+v with failures %v", s, failures)
	}
	if changed := x.observeNode("n", testNode("n", one), noon.Add(time.Minute)); len(changed) != 1 {
		t.Errorf("after another renewal %v changed, want web", changed)
	}
}
