package rollup

import (
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/waves"
)

// Reasons of the condition RolloutHalted that are not in the table of reasons.
const (
	reasonInProgress = "InProgress" // False: nodes of the started waves are installing the version
	reasonPaused     = "Paused"     // False: the pause of a wave
	reasonCompleted  = "Completed"  // False: every wave has started
)

// advance returns the next status of a certificate's roll-out in waves, nil without waves, and when time alone continues it. While
// the version watch does not say what the latest version is, it stays as it is.
func advance(certificate *v1alpha1.ObservedCertificate, s summary, w desired, now time.Time) (*v1alpha1.RolloutStatus, time.Time) {
	before, latest := certificate.Status.Rollout, certificate.Status.LatestVersion
	switch {
	case w.rollout == nil:
		return nil, time.Time{}
	case s.latest == "" || latest == nil:
		return before, time.Time{}
	}
	after, changes := waves.Advance(w.rollout, before, waves.Progress{
		Counts: s.waves, Version: latest.Version, Promote: certificate.Annotations[v1alpha1.PromoteAnnotation],
	}, now)
	return &after, changes
}

// waveOf returns the last wave that may have the latest version, 0 without waves or where none may.
func waveOf(rollout *v1alpha1.RolloutStatus, latest string) int {
	if rollout == nil || rollout.Version != latest {
		return 0
	}
	return int(rollout.Wave)
}

// withoutVersions reports whether waves were asked for although the version watch is off.
func withoutVersions(w desired, status v1alpha1.ObservedCertificateStatus) bool {
	condition := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVersionWatched)
	return w.rollout != nil && condition != nil && condition.Reason == reasonNotEnabled
}

const needsWatch = "spec.rollout needs the version watch, which is off: until it is on, nodes replace only a certificate that is not valid or is about to expire (docs/version-watch.md)"

// haltedRollout returns the condition RolloutHalted of a certificate with waves.
func (s summary) haltedRollout(w desired, status v1alpha1.ObservedCertificateStatus) metav1.Condition {
	condition := metav1.Condition{Type: v1alpha1.ConditionRolloutHalted, Status: metav1.ConditionFalse}
	watched := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionVersionWatched)
	rollout, last := status.Rollout, len(w.rollout.Waves)
	switch {
	case withoutVersions(w, status):
		condition.Status, condition.Reason, condition.Message = metav1.ConditionTrue, string(v1alpha1.ReasonVersionWatchRequired), needsWatch
	case w.suspended:
		condition.Reason, condition.Message = string(v1alpha1.ReasonSuspended), "suspended: no wave starts"
	case watched != nil && watched.Status == metav1.ConditionFalse && (rollout == nil || int(rollout.Wave) <= last):
		condition.Status, condition.Reason = metav1.ConditionTrue, watched.Reason
		condition.Message = "no wave starts while the version watch does not see the secret: " + watched.Message
	case rollout == nil || s.latest == "" && int(rollout.Wave) <= last:
		condition.Reason, condition.Message = reasonInProgress, "the version watch has not published a version yet"
	case waves.Halted(w.rollout, *rollout, s.waves):
		condition.Status, condition.Reason = metav1.ConditionTrue, s.waveFailure()
		condition.Message = fmt.Sprintf("wave %d does not start, because %s of the waves before failed; status.failures names them. To continue nevertheless, set the annotation %s to %s/%d",
			rollout.Wave+1, nodes(waves.Failed(s.waves, int(rollout.Wave))), v1alpha1.PromoteAnnotation, rollout.Version, rollout.Wave+1)
	case int(rollout.Wave) > last:
		condition.Reason, condition.Message = reasonCompleted, "every node may have version "+rollout.Version
	case rollout.CompleteTime != nil:
		condition.Reason = reasonPaused
		condition.Message = fmt.Sprintf("every node up to wave %d of %d has version %s; the next wave starts at %s", rollout.Wave, last,
			rollout.Version, rollout.CompleteTime.Add(waves.Pause(w.rollout, int(rollout.Wave))).UTC().Format(time.RFC3339))
	default:
		condition.Reason, condition.Message = reasonInProgress, fmt.Sprintf("wave %d of %d is installing version %s", rollout.Wave, last, rollout.Version)
	}
	return condition
}

// waveFailure returns the worst reason of a failed node.
func (s summary) waveFailure() string {
	for _, t := range s.notInstalled {
		if t.phase == failed {
			return string(t.reason)
		}
	}
	return string(v1alpha1.ReasonInternalError)
}
