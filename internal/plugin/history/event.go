package history

import (
	"cmp"
	"regexp"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Reasons of the controller's events about roll-outs.
const (
	rolloutStarted   = "RolloutStarted"
	rolloutCompleted = "RolloutCompleted"
)

// Event is what is needed of an event of Kubernetes.
type Event struct {
	Metadata struct {
		CreationTimestamp metav1.Time `json:"creationTimestamp"`
	} `json:"metadata"`
	InvolvedObject struct {
		UID string `json:"uid"`
	} `json:"involvedObject"`
	Reason        string            `json:"reason"`
	Message       string            `json:"message"`
	Type          string            `json:"type"`
	Count         int               `json:"count"`
	EventTime     *metav1.MicroTime `json:"eventTime"`
	LastTimestamp *metav1.Time      `json:"lastTimestamp"`
	Series        *struct {
		Count            int              `json:"count"`
		LastObservedTime metav1.MicroTime `json:"lastObservedTime"`
	} `json:"series"`
}

// time is when it happened last.
func (e *Event) time() metav1.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return metav1.Time{Time: e.Series.LastObservedTime.Time}
	case e.LastTimestamp != nil && !e.LastTimestamp.IsZero():
		return *e.LastTimestamp
	case e.EventTime != nil && !e.EventTime.IsZero():
		return metav1.Time{Time: e.EventTime.Time}
	}
	return e.Metadata.CreationTimestamp
}

func (e *Event) times() int {
	if e.Series != nil {
		return max(1, e.Series.Count)
	}
	return max(1, e.Count)
}

// told finds what the controller's events say of a version.
var told = struct{ version, thumbprint, until *regexp.Regexp }{
	regexp.MustCompile(`\bversion ([0-9A-Za-z._-]+)`), regexp.MustCompile(`\bthumbprint ([0-9A-F]{40})\b`), regexp.MustCompile(`\bvalid until ([0-9TZ:+-]+)`),
}

// learn takes from an event when a version started or completed.
func learn(versions []Version, e Occurrence) []Version {
	print := told.thumbprint.FindStringSubmatch(e.Message)
	if print == nil || e.Reason != rolloutStarted && e.Reason != rolloutCompleted {
		return versions
	}
	v := &versions[find(&versions, print[1])]
	at := e.Time
	if e.Reason == rolloutCompleted {
		v.Completed = &at
		return versions
	}
	v.Started = &at
	if version := told.version.FindStringSubmatch(e.Message); version != nil {
		v.Version = cmp.Or(v.Version, version[1])
	}
	if until := told.until.FindStringSubmatch(e.Message); until != nil && v.NotAfter == nil {
		if end, err := time.Parse(time.RFC3339, until[1]); err == nil {
			v.NotAfter = &metav1.Time{Time: end}
		}
	}
	return versions
}
