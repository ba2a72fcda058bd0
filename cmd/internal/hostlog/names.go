package hostlog

import (
	"strings"
	"time"
)

// A file's name is prefix, the day in UTC and suffix. In UTC no day is longer than another, and the same moment has the same
// name on all nodes.
const (
	prefix = "vaultpane_service_"
	suffix = ".log"
)

// nameOf returns the name of the file for lines of this moment.
func nameOf(now time.Time) string { return prefix + now.UTC().Format(time.DateOnly) + suffix }

// dayOf returns the day of a file, and false for a file that is not a host log.
func dayOf(name string) (time.Time, bool) {
	text, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return time.Time{}, false
	}
	if text, ok = strings.CutSuffix(text, suffix); !ok {
		return time.Time{}, false
	}
	day, err := time.Parse(time.DateOnly, text)
	return day, err == nil
}

// expired returns the names of host logs from more than keep days before today.
func expired(names []string, now time.Time, keep int) []string {
	oldest := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -keep)
	var out []string
	for _, name := range names {
		if day, ours := dayOf(name); ours && day.Before(oldest) {
			out = append(out, name)
		}
	}
	return out
}
