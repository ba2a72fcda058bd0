package kubelet

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestAPodIsReadyUntilItsProbeFailsAsOftenAsItMay(t *testing.T) {
	status := http.StatusServiceUnavailable
	server := httptest.NewServer(http.HandlerFunc(func(answer http.ResponseWriter, _ *http.Request) { answer.WriteHeader(status) }))
	defer server.Close()
	r := &running{probe: server.URL, limit: 2}
	for i, step := range []struct {
		status int
		ready  bool
	}{
		{http.StatusServiceUnavailable, false}, // not yet
		{http.StatusOK, true},
		{http.StatusServiceUnavailable, true},
		{http.StatusOK, true},
		{http.StatusServiceUnavailable, true},
		{http.StatusServiceUnavailable, false},
		{http.StatusServiceUnavailable, false},
		{http.StatusOK, true},
	} {
		status = step.status
		if ready := r.ready(t.Context()); ready != step.ready {
			t.Errorf("step %d, answer %d: ready is %v, want %v", i+1, status, ready, step.ready)
		}
	}
}
