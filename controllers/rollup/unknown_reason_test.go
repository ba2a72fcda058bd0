package rollup_test

import (
	"testing"

	eventsv1 "k8s.io/api/events/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// One node reports Failed without a reason, or with one that is not valid in a condition. The status must still be updated.
func TestAReasonThatIsNotValidInACondition(t *testing.T) {
	for _, reason := range []v1alpha1.Reason{"", "Disk is full!"} {
		t.Run("reason "+string(reason[:min(len(reason), 4)]), func(t *testing.T) {
			f := newFleet(t, forTest(t))
			f.name = map[bool]string{true: "noreason", false: "oddreason"}[reason == ""]
			nodes := f.join(1, 3)
			f.observe()
			f.report(nodes, version(1))
			f.eventually("v1 3/3 True Installed")
			f.report(nodes[:1], failingWith(version(1), reason))
			f.report(nodes[1:], version(2))
			f.eventually("v2 2/3 False InternalError")
		})
	}
}

// One node of two fails and recovers a few times: events with the same reason are limited.
func TestAFlappingNodeHasOneEvent(t *testing.T) {
	f := newFleet(t, forTest(t))
	f.name = "flaps"
	nodes := f.join(1, 2)
	f.observe()
	f.report(nodes, version(1))
	f.eventually("v1 2/2 True Installed")
	for range 5 {
		f.report(nodes[:1], failingWith(version(1), v1alpha1.ReasonThrottled))
		f.eventually("v1 1/2 False Throttled")
		f.report(nodes[:1], version(1))
		f.eventually("v1 2/2 True Installed")
	}
	f.join(3, 3) // scale-out
	f.report([]string{f.node(3)}, version(1))
	f.eventually("v1 3/3 True Installed")
	var list eventsv1.EventList
	f.do(f.kube.List(t.Context(), &list))
	for _, e := range list.Items {
		if e.Regarding.Name == f.name {
			t.Logf("%s: %s (series %v)", e.Reason, e.Note, e.Series)
		}
	}
	if got := f.events(); got["Throttled"] > 1 || got["RolloutCompleted"] > 1 {
		t.Errorf("got events %v, want one for the roll-out and one for the failure", got)
	}
}
