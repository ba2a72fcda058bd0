package agent

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Label names. Their values are closed lists: reasons of the API, HTTP status codes, store operations, results, and the
// names of ObservedCertificates.
const (
	labelResult      = "result"
	labelReason      = "reason"
	labelCode        = "code"
	labelOperation   = "operation"
	labelCertificate = "certificate"
	labelVersion     = "version"
)

// Results of a poll.
const (
	resultInstalled = "installed"
	resultUnchanged = "unchanged"
	resultFailed    = "failed"
	resultSucceeded = "succeeded"
)

// Metrics are the agent's own metrics. Counters are counted as things happen; gauges are computed when scraped.
type Metrics struct {
	polls           *prometheus.CounterVec
	requests        *prometheus.CounterVec
	requestDuration prometheus.Histogram
	operations      *prometheus.CounterVec
	droppedEvents   prometheus.Counter
}

// NewMetrics registers the agent's metrics.
func NewMetrics(registry prometheus.Registerer, version string) *Metrics {
	m := &Metrics{
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_polls_total", Help: "Polls of certificates by result (installed, unchanged, failed) and reason.",
		}, []string{labelResult, labelReason}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_keyvault_requests_total", Help: "HTTP requests to Key Vault and token services by status code, or error where none came.",
		}, []string{labelCode}),
		requestDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vaultpane_keyvault_request_duration_seconds", Help: "Time until the answer's headers of requests to Key Vault and token services.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
		}),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_store_operations_total", Help: "Changes of the certificate store by operation (install, update, link, remove, remove-orphaned-key) and result.",
		}, []string{labelOperation, labelResult}),
		droppedEvents: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vaultpane_events_dropped_total", Help: "Events that were not written because too many came at once; the node's state holds what they say.",
		}),
	}
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "vaultpane_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{labelVersion: version},
	}, func() float64 { return 1 })
	registry.MustRegister(m.polls, m.requests, m.requestDuration, m.operations, m.droppedEvents, build)
	return m
}

// KeyVaultRequest counts one HTTP answer; it is keyvault.Options.Observe.
func (m *Metrics) KeyVaultRequest(code string, duration time.Duration) {
	m.requests.WithLabelValues(code).Inc()
	m.requestDuration.Observe(duration.Seconds())
}

func (m *Metrics) storeOperation(operation string, err error) {
	result := resultSucceeded
	if err != nil {
		result = resultFailed
	}
	m.operations.WithLabelValues(operation, result).Inc()
}

func (m *Metrics) poll(out outcome) {
	switch {
	case out.err != nil:
		m.polls.WithLabelValues(resultFailed, string(explain(out.err).reason)).Inc()
	case out.done.changed:
		m.polls.WithLabelValues(resultInstalled, string(v1alpha1.ReasonInstalled)).Inc()
	default:
		m.polls.WithLabelValues(resultUnchanged, string(v1alpha1.ReasonInstalled)).Inc()
	}
}
