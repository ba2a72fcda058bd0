package agent

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/client-go/tools/events"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
)

// When the vault of a thousand certificates refuses them, a thousand events would wait in the client's throttling.
func TestABurstOfEventsIsDroppedAndCounted(t *testing.T) {
	const failures = 1000
	web := webCertificate()
	r := newReconciler(t, nodeWith(nil), web)
	recorder := events.NewFakeRecorder(failures)
	r.Events = recorder
	for number := range failures {
		r.warn(t.Context(), web, failure.Failure{Reason: v1alpha1.ReasonAccessDenied, Message: fmt.Sprint(number)})
	}
	written := len(recorder.Events)
	if written < eventsBurst || written > eventsBurst+5 {
		t.Errorf("%d events are written, want the %d of a burst", written, eventsBurst)
	}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(r); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`# HELP vaultpane_events_dropped_total Events that were dropped because there were too many at once; the node's state holds the same information.
# TYPE vaultpane_events_dropped_total counter
vaultpane_events_dropped_total %d
`, failures-written)
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "vaultpane_events_dropped_total"); err != nil {
		t.Error(err)
	}
}

func TestAnEventsNoteIsNoLongerThanTheAPIAccepts(t *testing.T) {
	got := eventNote(strings.Repeat("n", 253), failure.Failure{Message: strings.Repeat("ü", 600), Detail: "d", RequestID: "r"})
	if len(got) > 1024 || len(got) < 1020 || !utf8.ValidString(got) {
		t.Errorf("got %d bytes, valid %v", len(got), utf8.ValidString(got))
	}
}
