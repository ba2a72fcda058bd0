package rollup

import (
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// A node that keeps the certificate of another URL until its wave starts has not processed the spec, and that is not what it waits for.
func TestANodeWithTheCertificateOfAnotherURLWaitsForItsWave(t *testing.T) {
	tests := []struct {
		name string
		wave int
		held held
		want v1alpha1.Reason
	}{
		{"its wave has not started", 2, held{version: "other"}, v1alpha1.ReasonWaitingForWave},
		{"its wave has started", 1, held{version: "other"}, v1alpha1.ReasonPending},
		{"it has nothing, and does not wait", 2, held{}, v1alpha1.ReasonPending},
		{"it has the version", 2, held{version: "new"}, v1alpha1.ReasonPending},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := nodeStatus{phase: pending, reason: v1alpha1.ReasonPending, wave: test.wave, held: test.held}
			if got := s.at(time.Now(), time.Hour, target{latest: "new", wave: 1}).reason; got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
