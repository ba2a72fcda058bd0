package heartbeat

import (
	"encoding/json"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// VersionWatch is the name of the Lease, in the agents' namespace, with which the version watch says that it runs: one object for
// all certificates, so that an idle cluster has one write a minute for it.
const VersionWatch = "vaultpane-version-watch"

// WatchPeriod is the time between two renewals of that Lease.
const WatchPeriod = time.Minute

// WatchStaleAfter is how old what the Lease says of a vault may be. From then on, agents poll the vault at their own intervals.
const WatchStaleAfter = 3 * WatchPeriod

// onScheduleAnnotation has a JSON object: the vaults' hosts, with the time at which all lists of the vault were last on schedule, in
// Unix seconds.
const onScheduleAnnotation = "vaultpane.dev/vaults-on-schedule"

// AnnotateVaults sets when the lists of each vault, by host and port, were last on schedule.
func AnnotateVaults(lease *coordinationv1.Lease, onSchedule map[string]time.Time) {
	seconds := make(map[string]int64, len(onSchedule))
	for vault, at := range onSchedule {
		seconds[vault] = at.Unix()
	}
	text, _ := json.Marshal(seconds) // a map of numbers always encodes
	metav1.SetMetaDataAnnotation(&lease.ObjectMeta, onScheduleAnnotation, string(text))
}

// VaultsOnSchedule returns when the lists of each vault were last on schedule, by the controller's clock; nothing for a Lease that
// does not say it.
func VaultsOnSchedule(lease *coordinationv1.Lease) map[string]time.Time {
	var seconds map[string]int64
	if json.Unmarshal([]byte(lease.Annotations[onScheduleAnnotation]), &seconds) != nil {
		return nil
	}
	onSchedule := make(map[string]time.Time, len(seconds))
	for vault, at := range seconds {
		onSchedule[vault] = time.Unix(at, 0)
	}
	return onSchedule
}
