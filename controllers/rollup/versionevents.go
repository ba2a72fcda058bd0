package rollup

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Reasons of events about the latest version and its roll-out in waves.
const (
	// EventVersionRolledBack means that the newest version was disabled in the vault or has expired, and nodes go back to another.
	EventVersionRolledBack = "VersionRolledBack"
	// EventWaveStarted means that the next wave of nodes may have the latest version.
	EventWaveStarted = "WaveStarted"
	// EventRolloutHalted means that a failure stops the next wave.
	EventRolloutHalted = "RolloutHalted"
)

const (
	actionWatch    = "WatchVersions"
	actionRollBack = "RollBack"
	actionWave     = "StartWave"
)

// versionEvents returns the events about the latest version: it was rolled back, or is no longer watched.
func (h *eventHistory) versionEvents(before, after v1alpha1.ObservedCertificateStatus, now time.Time) []statusEvent {
	var events []statusEvent
	latest := after.LatestVersion
	if publication(before) != publication(after) {
		h.published = publication(after)
	}
	if latest != nil && latest.RollbackFrom != "" && (before.LatestVersion == nil || before.LatestVersion.RollbackFrom != latest.RollbackFrom) {
		events = append(events, statusEvent{corev1.EventTypeNormal, EventVersionRolledBack, actionRollBack,
			fmt.Sprintf("version %s is disabled in the vault or has expired: nodes that have it go back to version %s", latest.RollbackFrom, latest.Version)})
	}
	condition := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionVersionWatched)
	if watchFails(condition) && h.allow(watchKey(condition), quietFailure, now) {
		events = append(events, statusEvent{corev1.EventTypeWarning, condition.Reason, actionWatch, condition.Message})
	}
	return events
}

// watchFails reports whether the version watch fails, as opposed to being off or not needed.
func watchFails(condition *metav1.Condition) bool {
	return condition != nil && condition.Status == metav1.ConditionFalse && v1alpha1.Reason(condition.Reason).IsFailure()
}

// watchKey tells the version watch's failures from those of nodes with the same reason.
func watchKey(condition *metav1.Condition) string { return "version watch: " + condition.Reason }

// waveEvents returns the events about a roll-out in waves.
func (h *eventHistory) waveEvents(before, after v1alpha1.ObservedCertificateStatus, sum summary, now time.Time) []statusEvent {
	var events []statusEvent
	was, is := before.Rollout, after.Rollout
	if is != nil && (was == nil || was.Version != is.Version || was.Wave != is.Wave) {
		events = append(events, statusEvent{corev1.EventTypeNormal, EventWaveStarted, actionWave, waveNote(*is, sum)})
	}
	halted := meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionRolloutHalted)
	if halted == nil || halted.Status != metav1.ConditionTrue {
		delete(h.sent, EventRolloutHalted) // the next halt is another one
		return events
	}
	if h.allow(EventRolloutHalted, quietFailure, now) {
		events = append(events, statusEvent{corev1.EventTypeWarning, EventRolloutHalted, actionWave, halted.Message})
	}
	return events
}

// waveNote says which wave has started, and how many nodes it has.
func waveNote(rollout v1alpha1.RolloutStatus, sum summary) string {
	last := len(sum.waves) // with the nodes that no wave selects
	if int(rollout.Wave) >= last {
		return "every node may have version " + rollout.Version
	}
	return fmt.Sprintf("wave %d of %d, %s, may have version %s", rollout.Wave, last-1, nodes(sum.waves[rollout.Wave-1].Nodes), rollout.Version)
}

// rolloutTime returns the time from the publication of a version to the last node that has it, once for each version that was
// published while this controller leads.
func (h *eventHistory) rolloutTime(after v1alpha1.ObservedCertificateStatus, now time.Time) (time.Duration, bool) {
	is := readyOf(after)
	if h.published == "" || h.published != publication(after) || h.published != after.Version ||
		is.Status != metav1.ConditionTrue || is.Reason != string(v1alpha1.ReasonInstalled) {
		return 0, false
	}
	h.published = ""
	return now.Sub(after.LatestVersion.ObservedTime.Time), true
}
