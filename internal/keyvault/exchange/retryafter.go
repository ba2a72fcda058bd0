package exchange

import (
	"errors"
	"net/http"
	"strconv"
	"time"
)

// RetryAfter returns the wait that the server asks for: Azure's millisecond headers, else Retry-After in seconds or as a date
// (RFC 9110, section 10.2.3).
func RetryAfter(header http.Header, now time.Time) time.Duration {
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if milliseconds := countOf(header.Get(name)); milliseconds > 0 {
			return time.Duration(milliseconds) * time.Millisecond
		}
	}
	value := header.Get("Retry-After")
	if seconds := countOf(value); seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil && date.After(now) {
		return date.Sub(now)
	}
	return 0
}

// countOf parses a number of units, 0 for text that is not a number. A number that overflows is a very long time, not none.
func countOf(text string) int64 {
	count, err := strconv.ParseInt(text, 10, 32)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return count
}
