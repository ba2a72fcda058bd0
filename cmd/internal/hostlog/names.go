package hostlog

import (
	"strings"
	"time"
)

// A file's name is prefix, the day in UTC and suffix. UTC, because no day of it is longer or comes twice, and because the
// same moment has the same name on all nodes.
const (
	prefix = "vaultpane_service_"
	suffix = ".log"
)

// nameOf returns the name of the file that a line of this moment goes to.
func nameOf(now time.Time) string { return prefix + now.UTC().Format(time.DateOnly) + suffix }

// dayOf returns the day that a file is of, and false for a file that is not one of ours.
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

// expired returns which of the names are of days more than keep days before today. It names our files only.
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
