package main

import (
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestWhatAPromotionContinues(t *testing.T) {
	tests := []struct {
		name   string
		waves  int
		status *v1alpha1.RolloutStatus
		full   bool
		value  string
		says   string // in the text or in the error
		fails  bool
	}{
		{name: "no waves", says: "has no waves", fails: true},
		{name: "not started", waves: 2, says: "has not started a roll-out yet", fails: true},
		{name: "of another version", waves: 2, status: &v1alpha1.RolloutStatus{Version: "v1", Wave: 1}, says: "has not started a roll-out yet", fails: true},
		{name: "the next wave", waves: 2, status: &v1alpha1.RolloutStatus{Version: "v2", Wave: 1}, value: "v2/2", says: "wave 2 of 2 may have version v2 now"},
		{name: "the rest", waves: 2, status: &v1alpha1.RolloutStatus{Version: "v2", Wave: 2}, value: "v2/3", says: "nodes that no wave selects"},
		{name: "all waves", waves: 2, status: &v1alpha1.RolloutStatus{Version: "v2", Wave: 1}, full: true, value: "v2", says: "every node may have version v2 now"},
		{name: "nothing is left", waves: 2, status: &v1alpha1.RolloutStatus{Version: "v2", Wave: 3}, says: "already"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			certificate := &v1alpha1.ObservedCertificate{}
			certificate.Name = "web"
			if test.waves > 0 {
				certificate.Spec.Rollout = &v1alpha1.Rollout{Waves: make([]v1alpha1.Wave, test.waves)}
				certificate.Status.LatestVersion = &v1alpha1.LatestVersion{Version: "v2"}
			}
			certificate.Status.Rollout = test.status
			value, text, err := promotion(certificate, test.full)
			if err != nil {
				text = err.Error()
			}
			if value != test.value || (err != nil) != test.fails || !strings.Contains(text, test.says) {
				t.Errorf("got %q, %q and error %v", value, text, err)
			}
		})
	}
}
