package doctor

import (
	"cmp"
	"regexp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// recent is how old an event may be: as old as the API server keeps them by default.
const recent = time.Hour

// mostEvents is how many kinds of events are shown.
const mostEvents = 8

// eventGroup is what has the same reason, on objects of the same kind.
type eventGroup struct {
	kind, reason string
	objects      []string
	count        int
	last         time.Time
	message      string
}

// findEvents groups the warnings of the last hour.
func findEvents(s *Snapshot) []Finding {
	groups := map[[2]string]*eventGroup{}
	for i := range s.Events {
		event := &s.Events[i]
		at := lastSeen(event)
		if event.Type != corev1.EventTypeWarning || s.Server.Sub(at) > recent {
			continue
		}
		key := [2]string{event.InvolvedObject.Kind, event.Reason}
		group := groups[key]
		if group == nil {
			group = &eventGroup{kind: key[0], reason: key[1]}
			groups[key] = group
		}
		group.add(event, at)
	}
	all := make([]*eventGroup, 0, len(groups))
	for _, group := range groups {
		all = append(all, group)
	}
	slices.SortFunc(all, func(a, b *eventGroup) int {
		return cmp.Or(b.last.Compare(a.last), cmp.Compare(a.kind, b.kind), cmp.Compare(a.reason, b.reason))
	})
	var findings []Finding
	for _, group := range all[:min(len(all), mostEvents)] {
		findings = append(findings, finding(Note, "event %s on %s %s, %s, the last %s: %s", group.reason, group.kind, list(group.objects), terminal.Count(group.count, "time"),
			terminal.Until(group.last, s.Server), group.message).do("", s.eventsCommand(group)))
	}
	return findings
}

func (g *eventGroup) add(event *corev1.Event, at time.Time) {
	if !slices.Contains(g.objects, event.InvolvedObject.Name) {
		g.objects = append(g.objects, event.InvolvedObject.Name)
	}
	times := max(1, int(event.Count))
	if event.Series != nil {
		times = max(times, int(event.Series.Count))
	}
	g.count += times
	if at.After(g.last) {
		g.last, g.message = at, event.Message
	}
}

// plainReason is a reason that is safe in a command: the API server takes any text for one, from everybody who may write events.
var plainReason = regexp.MustCompile(`^[0-9A-Za-z]+$`)

func (s *Snapshot) eventsCommand(group *eventGroup) string {
	namespace := s.Namespace
	if group.kind == "Node" || group.kind == "ObservedCertificate" {
		namespace = corev1.NamespaceDefault
	}
	command := "kubectl -n " + namespace + " get events --field-selector type=Warning"
	if plainReason.MatchString(group.reason) {
		command += ",reason=" + group.reason
	}
	return command
}

// lastSeen returns when an event last happened.
func lastSeen(event *corev1.Event) time.Time {
	last := event.LastTimestamp.Time
	for _, at := range []time.Time{event.EventTime.Time, event.FirstTimestamp.Time, seriesTime(event)} {
		if at.After(last) {
			last = at
		}
	}
	return last
}

func seriesTime(event *corev1.Event) time.Time {
	if event.Series == nil {
		return time.Time{}
	}
	return event.Series.LastObservedTime.Time
}
