package rollup

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// inPool is a node with a pool label in addition to that of its operating system. A node that is not a Windows node has no agent.
func inPool(name, pool, os string) facts {
	f := testNode(name)
	f.node.Labels = labels.Set{"kubernetes.io/os": os, "pool": pool}
	if os != "windows" {
		f.state, f.lease = nil, nil
	}
	return f
}

func forPool(pool string) desired {
	w := testDesired()
	w.selector = labels.SelectorFromSet(labels.Set{"pool": pool})
	return w
}

func TestASelectorThatMatchesNoNodeDiffersFromAnEmptyCluster(t *testing.T) {
	tests := []struct {
		name  string
		nodes []facts
		want  string
	}{
		{"no node", nil, "no node runs the agent yet"},
		{"nodes for other things", []facts{inPool("l", "linux", "linux")}, "no node runs the agent yet"},
		{"a typo", []facts{inPool("a", "web", "windows"), inPool("b", "web", "windows")}, "no node matches spec.nodeSelector; 2 nodes run the agent"},
		{"one node runs the agent", []facts{inPool("a", "web", "windows")}, "no node matches spec.nodeSelector; 1 node runs the agent"},
		{"nodes without the agent match", []facts{inPool("a", "wbe", "linux"), inPool("b", "web", "windows")},
			"1 node matches spec.nodeSelector without running the agent; 1 node runs the agent"},
		{"only nodes without the agent exist, and match", []facts{inPool("a", "wbe", "linux")},
			"1 node matches spec.nodeSelector, but no node runs the agent yet"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := newIndex(windows)
			x.observeCertificate(forPool("wbe"), noon)
			for _, f := range test.nodes {
				x.observeNode(f.node.Name, f, noon)
			}
			status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
			got := []string{conditionOf(status, v1alpha1.ConditionReady), conditionOf(status, v1alpha1.ConditionReconciling)}
			want := []string{"Unknown NoNodesSelected: " + test.want, "False NoNodesSelected: " + test.want}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

// The status of a certificate that selects no node counts nodes that it does not select.
func TestOtherNodesChangeTheStatusOfACertificateWithoutNodes(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(forPool("wbe"), noon)
	relabelled := inPool("a", "other", "windows")
	for step, changed := range [][]string{
		x.observeNode("a", inPool("a", "web", "windows"), noon),
		x.observeNode("a", relabelled, noon),
		x.observeNode("a", facts{}, noon),
	} {
		if len(changed) != 1 {
			t.Errorf("step %d: %v changed, want web", step, changed)
		}
	}
	x.observeNode("b", inPool("b", "web", "windows"), noon)
	if changed := x.observeNode("b", inPool("b", "web", "windows"), noon); len(changed) != 0 {
		t.Errorf("an unchanged node changes %v", changed)
	}
}

// eventSteps collects the events of a certificate step by step.
type eventSteps struct {
	history *eventHistory
	before  v1alpha1.ObservedCertificateStatus
}

func newEventSteps(before v1alpha1.ObservedCertificateStatus, now time.Time) *eventSteps {
	return &eventSteps{history: historyFrom("u", before, now), before: before}
}

func (e *eventSteps) step(x *index, now time.Time) []string {
	_, s, named, _ := x.snapshot("web", time.Hour, now)
	after := statusFrom(x, e.before, time.Hour, now)
	var reasons []string
	for _, event := range e.history.eventsBetween(e.before, after, s, named, now) {
		reasons = append(reasons, strings.TrimSpace(event.kind+" "+event.reason+": "+event.note))
	}
	e.before = after
	return reasons
}

func TestNoNodesSelectedIsOneEvent(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(forPool("wbe"), noon)
	events := newEventSteps(v1alpha1.ObservedCertificateStatus{}, noon)
	if got := events.step(x, noon); len(got) != 0 {
		t.Errorf("without a node that runs the agent: %q", got)
	}
	again := newEventSteps(events.before, noon) // a controller that starts now
	x.observeNode("a", inPool("a", "web", "windows"), noon)
	want := []string{"Warning NoNodesSelected: no node matches spec.nodeSelector; 1 node runs the agent"}
	if got := again.step(x, noon); !cmp.Equal(got, want) {
		t.Errorf("after a restart: %q, want %q", got, want)
	}
	if got := events.step(x, noon); !cmp.Equal(got, want) {
		t.Errorf("when nodes run the agent: %q, want %q", got, want)
	}
	for i := range 3 {
		x.observeNode(fmt.Sprint("b", i), inPool(fmt.Sprint("b", i), "web", "windows"), noon)
		if got := events.step(x, noon.Add(time.Duration(i+1)*time.Hour)); len(got) != 0 {
			t.Errorf("events again: %q", got)
		}
	}
	restarted := newEventSteps(events.before, noon.Add(4*time.Hour))
	if got := restarted.step(x, noon.Add(4*time.Hour)); len(got) != 0 {
		t.Errorf("events again after a restart: %q", got)
	}
}

func TestASuspendedCertificateWithoutNodesHasNoEvent(t *testing.T) {
	w := forPool("wbe")
	w.suspended = true
	x := newIndex(windows)
	x.observeCertificate(w, noon)
	x.observeNode("a", inPool("a", "web", "windows"), noon)
	events := newEventSteps(v1alpha1.ObservedCertificateStatus{}, noon)
	if got := events.step(x, noon); len(got) != 0 {
		t.Errorf("got events %q", got)
	}
}

// A certificate changes every few seconds for an hour.
func TestRollOutsHaveAQuietPeriod(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	events := newEventSteps(v1alpha1.ObservedCertificateStatus{}, noon)
	counts := map[string]int{}
	var notes []string
	for i := range 360 {
		now := noon.Add(time.Duration(i) * 10 * time.Second)
		f := testNode("a", entryOf(fmt.Sprint("v", i), 100+i))
		renewed := metav1.NewMicroTime(now)
		f.lease.Spec.RenewTime = &renewed
		x.observeNode("a", f, now)
		for _, text := range events.step(x, now) {
			counts[strings.Fields(text)[1]]++
			notes = append(notes, text)
		}
	}
	if want := map[string]int{"RolloutStarted:": 12, "RolloutCompleted:": 12}; !cmp.Equal(counts, want) {
		t.Errorf("events of an hour: %v, want %v", counts, want)
	}
	if want := "29 roll-outs since the last such event had no event"; !strings.Contains(notes[2], want) {
		t.Errorf("the second start says %q, want %q in it", notes[2], want)
	}
}

// Each kind of event has a quiet period: a failure that comes and goes every minute has one event an hour.
func TestAFlappingFailureHasOneEventAnHour(t *testing.T) {
	soon := metav1.NewTime(noon.Add(90 * time.Minute)) // within an hour of expiry from 12:30
	tests := map[string]v1alpha1.CertificateEntry{
		"Throttled":    unsynced(v1alpha1.ReasonThrottled),
		"AccessDenied": failing(v1alpha1.ReasonAccessDenied),
		"LinkDeclined": unsynced(v1alpha1.ReasonLinkDeclined),
		"ExpiringSoon": with(one, func(e *v1alpha1.CertificateEntry) { e.NotAfter = &soon }),
	}
	for reason, entry := range tests {
		t.Run(reason, func(t *testing.T) {
			x := fleet{{1, one}}.index(t, testDesired())
			begin := noon.Add(31 * time.Minute)
			renew := func(entry v1alpha1.CertificateEntry, now time.Time) {
				f, renewed := testNode("flaps", entry), metav1.NewMicroTime(now)
				f.lease.Spec.RenewTime = &renewed
				x.observeNode("flaps", f, now)
			}
			renew(one, begin)
			events := newEventSteps(v1alpha1.ObservedCertificateStatus{}, begin)
			count := 0
			for i := range 58 {
				now := begin.Add(time.Duration(i) * time.Minute)
				renew(map[bool]v1alpha1.CertificateEntry{true: entry, false: one}[i%2 == 1], now)
				for _, text := range events.step(x, now) {
					if strings.Fields(text)[1] == reason+":" {
						count++
					}
				}
			}
			if count != 1 {
				t.Errorf("%d events within an hour", count)
			}
		})
	}
}
