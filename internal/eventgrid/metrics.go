package eventgrid

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// labelResult is the name of the only label. Its values are closed lists: the verdicts, and "succeeded" and the Reasons.
const labelResult = "result"

const resultSucceeded = "succeeded"

// instruments count what the receiver does.
type instruments struct {
	events   *prometheus.CounterVec
	receives *prometheus.CounterVec
}

var descAge = prometheus.NewDesc("vaultpane_version_watch_event_receive_age_seconds",
	"Time since events were last received successfully, with or without an event; since the start if never. Nothing without Event Grid.", nil, nil)

func newInstruments() instruments {
	m := instruments{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_version_watch_events_total",
			Help: "Events of Key Vault that were received, by whether they asked for a look (looked), were of another type or about a secret that nothing uses (ignored), or could not be read (invalid).",
		}, []string{labelResult}),
		receives: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_version_watch_event_receives_total",
			Help: "Attempts to receive and acknowledge events by result: succeeded, not_found, access_denied, authentication_failed, throttled, unreachable or refused.",
		}, []string{labelResult}),
	}
	for _, each := range []verdict{looked, ignored, invalid} {
		m.events.WithLabelValues(string(each))
	}
	for _, each := range append([]Reason{resultSucceeded}, Reasons...) {
		m.receives.WithLabelValues(string(each))
	}
	return m
}

// Describe implements prometheus.Collector.
func (r *Receiver) Describe(descs chan<- *prometheus.Desc) {
	r.counted.events.Describe(descs)
	r.counted.receives.Describe(descs)
	descs <- descAge
}

// Collect implements prometheus.Collector. A replica that does not lead receives nothing, and has no age.
func (r *Receiver) Collect(metrics chan<- prometheus.Metric) {
	r.counted.events.Collect(metrics)
	r.counted.receives.Collect(metrics)
	r.mu.Lock()
	since := r.state.LastReceive
	if since.IsZero() {
		since = r.began
	}
	running := r.running
	r.mu.Unlock()
	if running {
		metrics <- prometheus.MustNewConstMetric(descAge, prometheus.GaugeValue, time.Since(since).Seconds())
	}
}
