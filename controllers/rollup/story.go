package rollup

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Quiet times: how long an event of the same reason is not written again for a certificate. A node that fails and recovers by
// turns, or a certificate that changes every few seconds, would fill the list of events. client-go merges none of these, since the
// object that they regard changes with each status.
const (
	quietTrouble = time.Hour
	quietRollout = 5 * time.Minute
)

// story is what events have told of a certificate. It is kept in memory: after a restart it begins with what the status says,
// so that nothing is told twice that the status knows.
type story struct {
	uid  types.UID            // an object that is made anew under its name has a story of its own
	told map[string]time.Time // when the last event of each reason was written
	// completed is the roll-out of which the end was told, and began when the one that is under way did. unmentioned is how
	// many began in a quiet time.
	completed   rollout
	began       time.Time
	unmentioned int
	// unselected is set while no node is selected though nodes run the agent.
	unselected bool
}

// rollout is a version, or a new spec, on its way to the nodes.
type rollout struct {
	thumbprint string
	generation int64
}

// storyFrom is what a status tells.
func storyFrom(uid types.UID, status v1alpha1.ObservedCertificateStatus, now time.Time) *story {
	s := &story{uid: uid, told: map[string]time.Time{}}
	ready := readyOf(status)
	s.told[ready.Reason] = now
	for _, failure := range status.Failures {
		s.told[string(failure.Reason)] = now
	}
	for _, name := range []string{v1alpha1.ConditionExpiringSoon, v1alpha1.ConditionSyncFailing, v1alpha1.ConditionLinkDeclined} {
		if condition := meta.FindStatusCondition(status.Conditions, name); condition != nil && condition.Status == metav1.ConditionTrue {
			s.told[condition.Reason] = now
		}
	}
	if ready.Status == metav1.ConditionTrue {
		s.completed = rolloutOf(status)
	}
	s.unselected = ready.Reason == string(v1alpha1.ReasonNoNodesSelected) && ready.Message != noAgents
	if !s.unselected {
		delete(s.told, string(v1alpha1.ReasonNoNodesSelected))
	}
	return s
}

func rolloutOf(status v1alpha1.ObservedCertificateStatus) rollout {
	return rollout{thumbprint: status.Thumbprint, generation: status.ObservedGeneration}
}

// mayTell reports whether an event of a reason may be written, and takes it for written.
func (s *story) mayTell(reason string, quiet time.Duration, now time.Time) bool {
	if last, told := s.told[reason]; told && now.Sub(last) < quiet {
		return false
	}
	s.told[reason] = now
	return true
}

// news returns the troubles that are to be told of, and takes them for told.
func (s *story) news(troubles []trouble, now time.Time) []trouble {
	var news []trouble
	for _, t := range troubles {
		if t.standing().troubled() && s.mayTell(string(t.reason), quietTrouble, now) {
			news = append(news, t)
		}
	}
	return news
}
