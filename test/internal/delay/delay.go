// Package delay delays the responses of the tests' servers.
package delay

import (
	"net/http"
	"time"
)

// Request waits, and reports false if the client disconnected meanwhile.
func Request(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}
