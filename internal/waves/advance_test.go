package waves

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

var noon = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

// canary has a wave of nodes with the label ring=canary and a pause of 30 minutes, one with ring=early and no pause, and the rest.
func canary() *v1alpha1.Rollout {
	ring := func(name v1alpha1.LabelValue) v1alpha1.NodeSelector {
		return v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"ring": name}}
	}
	return &v1alpha1.Rollout{Waves: []v1alpha1.Wave{
		{NodeSelector: ring("canary"), Pause: &metav1.Duration{Duration: 30 * time.Minute}}, {NodeSelector: ring("early")},
	}}
}

func at(wave int32, since time.Duration, complete ...time.Duration) *v1alpha1.RolloutStatus {
	status := &v1alpha1.RolloutStatus{Version: "v2", Wave: wave, StartTime: &metav1.Time{Time: noon.Add(-since)}}
	for _, ago := range complete {
		status.CompleteTime = &metav1.Time{Time: noon.Add(-ago)}
	}
	return status
}

func text(status v1alpha1.RolloutStatus, changes time.Time) string {
	said := fmt.Sprintf("%s wave %d for %s", status.Version, status.Wave, noon.Sub(status.StartTime.Time))
	if status.CompleteTime != nil {
		said += fmt.Sprintf(", complete for %s", noon.Sub(status.CompleteTime.Time))
	}
	if !changes.IsZero() {
		said += fmt.Sprintf(", next in %s", changes.Sub(noon))
	}
	return said
}

func TestAWaveStartsWhenTheOneBeforeIsCompleteAndItsPauseIsOver(t *testing.T) {
	other := at(3, time.Hour, time.Hour)
	other.Version = "v1"
	tests := []struct {
		name    string
		before  *v1alpha1.RolloutStatus
		counts  []Count
		promote string
		want    string
		halted  bool
	}{
		{name: "a new version begins with the first wave", before: other, counts: []Count{{2, 0, 0}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 1 for 0s"},
		{name: "also the first one ever", counts: []Count{{2, 0, 0}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 1 for 0s"},
		{name: "which every node has already", counts: []Count{{2, 2, 0}, {3, 3, 0}, {5, 5, 0}}, want: "v2 wave 3 for 0s, complete for 0s"},
		{name: "one of two nodes has it", before: at(1, time.Hour), counts: []Count{{2, 1, 0}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 1 for 1h0m0s"},
		{name: "both have it, and the pause begins", before: at(1, time.Hour), counts: []Count{{2, 2, 0}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 1 for 1h0m0s, complete for 0s, next in 30m0s"},
		{name: "in the pause", before: at(1, time.Hour, 10*time.Minute), counts: []Count{{2, 2, 0}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 1 for 1h0m0s, complete for 10m0s, next in 20m0s"},
		{name: "a node fails in the pause, which begins again later", before: at(1, time.Hour, 10*time.Minute), counts: []Count{{2, 1, 1}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 1 for 1h0m0s", halted: true},
		{name: "a node that has the version can fail too", before: at(1, time.Hour, 40*time.Minute), counts: []Count{{2, 2, 1}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 1 for 1h0m0s", halted: true},
		{name: "the pause is over", before: at(1, time.Hour, 30*time.Minute), counts: []Count{{2, 2, 0}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 2 for 0s"},
		{name: "a wave without a pause", before: at(2, time.Hour), counts: []Count{{2, 2, 0}, {3, 3, 0}, {5, 0, 0}}, want: "v2 wave 3 for 0s"},
		{name: "a node of an earlier wave counts as well", before: at(2, time.Hour), counts: []Count{{2, 1, 0}, {3, 3, 0}, {5, 0, 0}}, want: "v2 wave 2 for 1h0m0s"},
		{name: "a wave without nodes has no pause", before: at(1, time.Hour), counts: []Count{{0, 0, 0}, {3, 0, 0}, {5, 0, 0}}, want: "v2 wave 2 for 0s"},
		{name: "a failure in a later wave does not stop that wave", before: at(1, time.Hour, 30*time.Minute), counts: []Count{{2, 2, 0}, {3, 0, 1}, {5, 0, 0}}, want: "v2 wave 2 for 0s", halted: true},
		{name: "a failure in the last wave stops nothing", before: at(3, time.Hour), counts: []Count{{2, 2, 0}, {3, 3, 0}, {5, 4, 1}}, want: "v2 wave 3 for 1h0m0s"},
		{name: "complete", before: at(3, time.Hour), counts: []Count{{2, 2, 0}, {3, 3, 0}, {5, 5, 0}}, want: "v2 wave 3 for 1h0m0s, complete for 0s"},
		{name: "it stays complete", before: at(3, time.Hour, time.Minute), counts: []Count{{2, 2, 0}, {3, 3, 0}, {5, 5, 0}}, want: "v2 wave 3 for 1h0m0s, complete for 1m0s"},
		{name: "until a node joins", before: at(3, time.Hour, time.Minute), counts: []Count{{2, 2, 0}, {3, 3, 0}, {6, 5, 0}}, want: "v2 wave 3 for 1h0m0s"},
		{name: "promoted to the next wave despite a failure", before: at(1, time.Hour), counts: []Count{{2, 1, 1}, {3, 0, 0}, {5, 0, 0}}, promote: "v2/2", want: "v2 wave 2 for 0s", halted: true},
		{name: "promoted to all waves", before: at(1, time.Hour), counts: []Count{{2, 1, 1}, {3, 0, 0}, {5, 0, 0}}, promote: "v2", want: "v2 wave 3 for 0s"},
		{name: "a promotion of another version", before: at(1, time.Hour), counts: []Count{{2, 1, 0}, {3, 0, 0}, {5, 0, 0}}, promote: "v1", want: "v2 wave 1 for 1h0m0s"},
		{name: "a promotion that cannot be read", before: at(1, time.Hour), counts: []Count{{2, 1, 0}, {3, 0, 0}, {5, 0, 0}}, promote: "v2/next", want: "v2 wave 1 for 1h0m0s"},
		{name: "a promotion beyond the end", before: at(1, time.Hour), counts: []Count{{2, 1, 0}, {3, 0, 0}, {5, 0, 0}}, promote: "v2/9", want: "v2 wave 3 for 0s"},
		{name: "fewer waves than before", before: at(7, time.Hour), counts: []Count{{2, 0, 0}, {3, 3, 0}, {5, 5, 0}}, want: "v2 wave 3 for 1h0m0s"},
		{name: "no node at all", before: at(1, time.Hour), counts: []Count{{}, {}, {}}, want: "v2 wave 3 for 0s, complete for 0s"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			after, changes := Advance(canary(), test.before, Progress{Counts: test.counts, Version: "v2", Promote: test.promote}, noon)
			if got := text(after, changes); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
			if got := Halted(canary(), after, test.counts); got != test.halted {
				t.Errorf("halted: %t", got)
			}
			again, _ := Advance(canary(), &after, Progress{Counts: test.counts, Version: "v2", Promote: test.promote}, noon)
			if text(again, time.Time{}) != text(after, time.Time{}) {
				t.Errorf("a second look changes it to %s", text(again, time.Time{}))
			}
		})
	}
}

func TestTheWaveOfANode(t *testing.T) {
	for ring, want := range map[string]int{"canary": 1, "early": 2, "late": 3, "": 3} {
		if got, err := Of(canary(), labels.Set{"ring": ring}); got != want || err != nil {
			t.Errorf("%q is in wave %d (%v), want %d", ring, got, err, want)
		}
	}
	everyone := &v1alpha1.Rollout{Waves: []v1alpha1.Wave{{}}}
	if got, _ := Of(everyone, nil); got != 1 {
		t.Errorf("a wave without a selector has wave %d", got)
	}
	if got := Remaining(canary(), 1, 3); got != 30*time.Minute {
		t.Errorf("%s remain", got)
	}
}
