package waves

import (
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Count counts the nodes of a wave.
type Count struct {
	// Nodes is how many there are, Done how many have the latest version, and Failed how many have failed.
	Nodes, Done, Failed int
}

// Progress is how far a roll-out is.
type Progress struct {
	// Counts are those of each wave in turn, and in the end of the nodes that no wave selects.
	Counts []Count
	// Version is the version that is rolled out.
	Version string
	// Promote is the value of the annotation vaultpane.dev/promote, empty for none.
	Promote string
}

// Advance returns the next status of a roll-out, and when time alone continues it, zero for never. before is the last status, nil
// for none. It is a pure function: a controller that is restarted continues from the status.
func Advance(rollout *v1alpha1.Rollout, before *v1alpha1.RolloutStatus, p Progress, now time.Time) (after v1alpha1.RolloutStatus, changes time.Time) {
	last := len(rollout.Waves) + 1
	if before == nil || before.Version != p.Version {
		before = started(p.Version, 1, now)
	}
	after = *before.DeepCopy()
	after.Wave = int32(min(int(after.Wave), last)) //nolint:gosec // at most the number of waves, which the CRD bounds
	for {
		reached := int(after.Wave)
		open, all := p.sum(reached), p.sum(last)
		next := reached + 1
		switch promoted := promotedTo(p.Promote, p.Version, last); {
		case reached == last:
		case all.Done == all.Nodes: // nothing is left to wait for
			next = last
		case promoted > reached:
			next = promoted
		case open.Done < open.Nodes || open.Failed > 0:
			after.CompleteTime = nil
			return after, time.Time{}
		case p.Counts[reached-1].Nodes > 0: // a wave without nodes has no pause
			if after.CompleteTime == nil {
				after.CompleteTime = &metav1.Time{Time: now}
			}
			if ends := after.CompleteTime.Add(Pause(rollout, reached)); now.Before(ends) {
				return after, ends
			}
		}
		if reached == last {
			return finish(after, all, now), time.Time{}
		}
		after = *started(p.Version, next, now)
	}
}

// Halted reports whether a failure in the waves that have started stops the next one.
func Halted(rollout *v1alpha1.Rollout, status v1alpha1.RolloutStatus, counts []Count) bool {
	reached := int(status.Wave)
	return reached <= len(rollout.Waves) && Failed(counts, reached) > 0
}

// Failed returns how many nodes of the waves up to one have failed.
func Failed(counts []Count, wave int) int { return Progress{Counts: counts}.sum(wave).Failed }

func started(version string, wave int, now time.Time) *v1alpha1.RolloutStatus {
	return &v1alpha1.RolloutStatus{Version: version, Wave: int32(wave), StartTime: &metav1.Time{Time: now}} //nolint:gosec // as above
}

// finish returns the status of a roll-out whose last wave has started.
func finish(status v1alpha1.RolloutStatus, all Count, now time.Time) v1alpha1.RolloutStatus {
	switch {
	case all.Done < all.Nodes:
		status.CompleteTime = nil
	case status.CompleteTime == nil:
		status.CompleteTime = &metav1.Time{Time: now}
	}
	return status
}

// sum returns the counts of the waves up to one.
func (p Progress) sum(wave int) (total Count) {
	for _, count := range p.Counts[:min(wave, len(p.Counts))] {
		total.Nodes, total.Done, total.Failed = total.Nodes+count.Nodes, total.Done+count.Done, total.Failed+count.Failed
	}
	return total
}

// promotedTo returns the wave up to which the annotation allows a version, 0 for none.
func promotedTo(annotation, version string, last int) int {
	of, wave, limited := strings.Cut(annotation, "/")
	if version == "" || !strings.EqualFold(of, version) {
		return 0
	}
	if !limited {
		return last
	}
	number, err := strconv.Atoi(wave)
	if err != nil {
		return 0
	}
	return min(number, last)
}
