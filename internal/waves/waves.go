// Package waves says which wave of a roll-out a node belongs to. The controller, which starts the waves, and the agents, which
// follow them, compute it alike.
package waves

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Of returns the number of a node's wave, from 1: that of the first wave that selects its labels. A node that no wave selects is in
// the one after the last. The error says which selector cannot be read; the API server rejects such selectors, so the wave after
// the last is used.
func Of(rollout *v1alpha1.Rollout, node labels.Set) (int, error) {
	for i, wave := range rollout.Waves {
		selector, err := wave.NodeSelector.AsSelector()
		if err != nil {
			return len(rollout.Waves) + 1, fmt.Errorf("reading the node selector of wave %d: %w", i+1, err)
		}
		if selector.Matches(node) {
			return i + 1, nil
		}
	}
	return len(rollout.Waves) + 1, nil
}

// Pause returns the pause after a wave, by its number; 0 after one that does not exist.
func Pause(rollout *v1alpha1.Rollout, wave int) time.Duration {
	if wave < 1 || wave > len(rollout.Waves) || rollout.Waves[wave-1].Pause == nil {
		return 0
	}
	return max(0, rollout.Waves[wave-1].Pause.Duration)
}

// Remaining returns the pauses between the start of one wave and that of a later one.
func Remaining(rollout *v1alpha1.Rollout, from, to int) (total time.Duration) {
	for wave := max(1, from); wave < to; wave++ {
		total += Pause(rollout, wave)
	}
	return total
}
