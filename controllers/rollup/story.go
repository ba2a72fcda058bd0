package rollup

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// quietTime is how long the same trouble of a certificate is not told of again: a node that fails and recovers by turns would
// fill the list of events. client-go merges none of these, since the object that they regard changes with each status.
const quietTime = time.Hour

// story is what events have told of a certificate. It is kept in memory: after a restart it begins with what the status says,
// so that nothing is told twice that the status knows.
type story struct {
	uid      types.UID // an object that is made anew under its name has a story of its own
	troubles map[v1alpha1.Reason]time.Time
	// completed is the roll-out of which the end was told, and began when the one that is under way did.
	completed rollout
	began     time.Time
}

// rollout is a version, or a new spec, on its way to the nodes.
type rollout struct {
	thumbprint string
	generation int64
}

// storyFrom is what a status tells.
func storyFrom(uid types.UID, status v1alpha1.ObservedCertificateStatus, now time.Time) *story {
	s := &story{uid: uid, troubles: map[v1alpha1.Reason]time.Time{}}
	ready := readyOf(status)
	s.troubles[v1alpha1.Reason(ready.Reason)] = now
	for _, failure := range status.Failures {
		s.troubles[failure.Reason] = now
	}
	if ready.Status == metav1.ConditionTrue {
		s.completed = rolloutOf(status)
	}
	return s
}

func rolloutOf(status v1alpha1.ObservedCertificateStatus) rollout {
	return rollout{thumbprint: status.Thumbprint, generation: status.ObservedGeneration}
}

// news returns the troubles that are to be told of, and takes them for told.
func (s *story) news(sum summary, now time.Time) []trouble {
	var news []trouble
	for _, t := range sum.troubles {
		last, told := s.troubles[t.reason]
		if !t.standing().troubled() || told && now.Sub(last) < quietTime {
			continue
		}
		s.troubles[t.reason] = now
		news = append(news, t)
	}
	return news
}
