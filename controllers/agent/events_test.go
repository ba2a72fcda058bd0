package agent

import (
	"fmt"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/client-go/tools/events"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// When the vault of a thousand certificates refuses them, a thousand events would wait in the client's throttling.
func TestABurstOfEventsIsDroppedAndCounted(t *testing.T) {
	const failures = 1000
	web := wishFor("web")
	r := reconcilerOver(t, nodeObject(nil), web)
	recorder := events.NewFakeRecorder(failures)
	r.Events, r.Metrics = recorder, NewMetrics(prometheus.NewRegistry(), "test")
	for number := range failures {
		r.warn(t.Context(), web, problem{reason: v1alpha1.ReasonAccessDenied, message: fmt.Sprint(number)})
	}
	written := len(recorder.Events)
	if written < eventsBurst || written > eventsBurst+5 {
		t.Errorf("%d events are written, want the %d of a burst", written, eventsBurst)
	}
	if dropped := testutil.ToFloat64(r.Metrics.droppedEvents); int(dropped) != failures-written {
		t.Errorf("%v are counted as dropped, want %d", dropped, failures-written)
	}
}
