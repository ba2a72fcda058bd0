package eventgrid

import (
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/vaultpane/vaultpane/test/await"
	gridtest "github.com/vaultpane/vaultpane/test/eventgrid"
)

const age = "vaultpane_version_watch_event_receive_age_seconds"

// A replica that does not lead has no age, and the age is computed at each scrape.
func TestTheAgeIsComputedWhileTheReceiverRuns(t *testing.T) {
	f := newFixture(t, gridtest.Options{})
	f.grid.FailWith(http.StatusServiceUnavailable, "ServiceUnavailable", "", 0, -1)
	r := f.newReceiver(t, f.options())
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(r)
	if n, err := testutil.GatherAndCount(registry, age); n != 0 || err != nil {
		t.Errorf("got %d and %v before the start, want none", n, err)
	}
	stop := f.run(t, r)
	awaitReason(t, r, Unreachable)
	first := ageOf(t, registry)
	if first <= 0 {
		t.Errorf("got %v without a success, want the time since the start", first)
	}
	// A clock may stand still between two scrapes: that of Windows for up to 16 ms.
	await.That(t, "the age grows", func() (bool, error) { return ageOf(t, registry) > first, nil })
	f.grid.Heal()
	f.grid.Publish(renewal("web"))
	awaitReason(t, r, "")
	received := r.State().LastReceive
	if got := ageOf(t, registry); got < 0 || received.IsZero() {
		t.Errorf("got %v after a success at %s", got, received)
	}
	stop()
	if n, err := testutil.GatherAndCount(registry, age); n != 0 || err != nil {
		t.Errorf("got %d and %v after the end, want none", n, err)
	}
}

func ageOf(t *testing.T, registry *prometheus.Registry) float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == age {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no %s", age)
	return 0
}
