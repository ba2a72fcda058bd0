package terminal

import (
	"fmt"
	"strings"
	"time"
)

// Age returns a duration in its largest unit, such as "3 m", and "0 s" for a negative one.
func Age(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", max(0, d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%d m", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	}
	return fmt.Sprintf("%d d", d/day)
}

// Until returns when something is, seen from now: "in 3 d" or "3 d ago".
func Until(at, now time.Time) string {
	if at.After(now) {
		return "in " + Age(at.Sub(now))
	}
	return Age(now.Sub(at)) + " ago"
}

// ShortVersion returns the beginning of a version of Key Vault, which are 32 hexadecimal digits, and any other version whole.
func ShortVersion(version string) string {
	const whole, short = 32, 8
	if len(version) == whole && strings.Trim(strings.ToLower(version), "0123456789abcdef") == "" {
		return version[:short]
	}
	return version
}

// Count returns a number and a noun, with an s where the number is not 1.
func Count(number int, noun string) string {
	if number == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", number, noun)
}

// Names lists at most limit names, and counts the rest. A limit of 0 lists all.
func Names(names []string, limit int) string {
	if limit == 0 || len(names) <= limit {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:limit], ", "), len(names)-limit)
}

// Duration returns a duration as a flag takes it, without zeros at the end: "5m", "1m30s".
func Duration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
