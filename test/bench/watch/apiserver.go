package watch

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// usage is what the API server counts of itself.
type usage struct {
	writes    map[string]int // by resource
	events    map[string]int // watch events that were sent, by resource
	processor time.Duration
}

var (
	writtenLine = regexp.MustCompile(`^apiserver_request_total\{.*,resource="([^"]+)".*verb="(?:POST|PUT|PATCH|APPLY)".*\} (\S+)`)
	eventsLine  = regexp.MustCompile(`^apiserver_watch_events_total\{.*[{,]resource="([^"]+)"[^}]*\} (\S+)`)
	kindLine    = regexp.MustCompile(`^apiserver_watch_events_total\{.*kind="([^"]+)"[^}]*\} (\S+)`)
)

// usage reads the API server's metrics.
func (s *site) usage() (usage, error) {
	text, err := s.plane.RunKubectl("", "get", "--raw", "/metrics")
	if err != nil {
		return usage{}, err
	}
	u := usage{writes: map[string]int{}, events: map[string]int{}}
	for line := range strings.Lines(text) {
		if found := writtenLine.FindStringSubmatch(line); found != nil {
			u.writes[found[1]] += number(found[2])
		}
		if found := eventsLine.FindStringSubmatch(line); found != nil {
			u.events[found[1]] += number(found[2])
		} else if found := kindLine.FindStringSubmatch(line); found != nil {
			u.events[strings.ToLower(found[1])+"s"] += number(found[2])
		}
		if value, found := strings.CutPrefix(line, "process_cpu_seconds_total "); found {
			busy, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				return usage{}, fmt.Errorf("reading the API server's processor time: %w", err)
			}
			u.processor = time.Duration(busy * float64(time.Second))
		}
	}
	return u, nil
}

func number(text string) int {
	value, _ := strconv.ParseFloat(text, 64) // a metric
	return int(value)
}

// since returns what was added after another reading.
func (u usage) since(before usage) usage {
	return usage{writes: subtract(u.writes, before.writes), events: subtract(u.events, before.events), processor: u.processor - before.processor}
}

func subtract(after, before map[string]int) map[string]int {
	added := map[string]int{}
	for name, count := range after {
		if count > before[name] {
			added[name] = count - before[name]
		}
	}
	return added
}

// usageOf returns what happens in a time.
func (s *site) usageOf(ctx context.Context, length time.Duration) (usage, error) {
	before, err := s.usage()
	if err != nil {
		return usage{}, err
	}
	if err := pause(ctx, length); err != nil {
		return usage{}, err
	}
	after, err := s.usage()
	return after.since(before), err
}

// The resources of Vaultpane.
const (
	certificates = "observedcertificates"
	states       = "nodecertificatestates"
	leases       = "leases"
)

// others lists the counts of the resources that are not expected, and their sum.
func others(counts map[string]int, expected ...string) (total int, listed string) {
	var each []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		if !slices.Contains(expected, name) {
			total += counts[name]
			each = append(each, fmt.Sprintf("%d %s", counts[name], name))
		}
	}
	if total == 0 {
		return 0, "0"
	}
	return total, strings.Join(each, ", ")
}
