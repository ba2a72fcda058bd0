package exchange

import (
	"math"
	"net/http"
	"testing"
	"time"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		name, header, value string
		want                time.Duration
	}{
		{"seconds", "Retry-After", "120", 2 * time.Minute},
		{"a date", "Retry-After", "Mon, 23 Nov 2026 12:00:30 GMT", 30 * time.Second},
		{"a date that has passed", "Retry-After", "Mon, 23 Nov 2026 11:00:00 GMT", 0},
		{"Azure's milliseconds", "x-ms-retry-after-ms", "1500", 1500 * time.Millisecond},
		{"a number that overflows", "Retry-After", "99999999999", math.MaxInt32 * time.Second},
		{"a negative number beyond all measure", "Retry-After", "-99999999999", 0},
		{"nonsense", "Retry-After", "soon", 0},
		{"a negative number", "Retry-After", "-5", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			header := http.Header{}
			header.Set(test.header, test.value)
			if got := RetryAfter(header, now); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
