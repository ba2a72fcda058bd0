package rollup

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Only what stops a wave that could start is a halt: not a suspended certificate, nor a watch that fails after the last wave.
func TestWhatHaltsARollout(t *testing.T) {
	watch := func(status metav1.ConditionStatus, reason string) metav1.Condition {
		return metav1.Condition{Type: v1alpha1.ConditionVersionWatched, Status: status, Reason: reason}
	}
	denied := watch(metav1.ConditionFalse, "AccessDenied")
	tests := []struct {
		name    string
		watched metav1.Condition
		latest  string
		wave    int32
		change  func(*desired)
		want    string
	}{
		{"the first wave is on its way", watch(metav1.ConditionTrue, "Watched"), "v1", 1, nil, "False InProgress"},
		{"every wave has started", watch(metav1.ConditionTrue, "Watched"), "v1", 2, nil, "False Completed"},
		{"the watch fails before the last wave", denied, "", 1, nil, "True AccessDenied"},
		{"the watch fails after it", denied, "", 2, nil, "False Completed"},
		{"the watch is off", watch(metav1.ConditionFalse, reasonNotEnabled), "", 1, nil, "True VersionWatchRequired"},
		{"suspended", watch(metav1.ConditionFalse, "Suspended"), "", 1, func(w *desired) { w.suspended = true }, "False Suspended"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := testDesired()
			w.rollout = &v1alpha1.Rollout{Waves: make([]v1alpha1.Wave, 1)}
			if test.change != nil {
				test.change(&w)
			}
			x := fleet{{2, one}}.index(t, w)
			x.publish("web", test.latest, int(test.wave))
			_, s, _, _ := x.snapshot("web", nextDay.Sub(noon)/2, noon)
			status := v1alpha1.ObservedCertificateStatus{Conditions: []metav1.Condition{test.watched}, Rollout: &v1alpha1.RolloutStatus{Version: "v1", Wave: test.wave}}
			got := s.haltedRollout(w, status)
			if string(got.Status)+" "+got.Reason != test.want {
				t.Errorf("got %s %s: %s, want %s", got.Status, got.Reason, got.Message, test.want)
			}
		})
	}
}
