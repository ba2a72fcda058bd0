package engine

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
)

// Label names. Their values are closed lists: reasons of the API, HTTP status codes, store operations, kinds of uses, results, and
// the names of ObservedCertificates.
const (
	labelResult      = "result"
	labelReason      = "reason"
	labelCode        = "code"
	labelOperation   = "operation"
	labelCertificate = "certificate"
	labelVersion     = "version"
	labelKind        = "kind"
)

// Results of a poll.
const (
	resultInstalled = "installed"
	resultUnchanged = "unchanged"
	resultFailed    = "failed"
	resultSucceeded = "succeeded"
)

// Metrics are the engine's counters. Its gauges are computed when they are scraped: Engine is a collector.
type Metrics struct {
	polls           *prometheus.CounterVec
	requests        *prometheus.CounterVec
	requestDuration prometheus.Histogram
	operations      *prometheus.CounterVec
	uses            *prometheus.CounterVec
}

// NewMetrics registers the counters, and the build's version.
func NewMetrics(registry prometheus.Registerer, version string) *Metrics {
	m := &Metrics{
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_polls_total", Help: "Polls of certificates by result (installed, unchanged, failed) and reason.",
		}, []string{labelResult, labelReason}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_keyvault_requests_total", Help: "HTTP requests to Key Vault and token services by status code, or error where there was no response.",
		}, []string{labelCode}),
		requestDuration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vaultpane_keyvault_request_duration_seconds", Help: "Time until the response headers of requests to Key Vault and token services.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
		}),
		operations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_store_operations_total", Help: "Changes of the certificate store by operation (install, update, link, remove, remove-orphaned-key) and result.",
		}, []string{labelOperation, labelResult}),
	}
	m.uses = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vaultpane_use_switches_total", Help: "Programs of spec.usedBy that were switched to a new version by kind (httpSys, remoteDesktop, winRM, sqlServer, service) and result.",
	}, []string{labelKind, labelResult})
	build := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "vaultpane_build_info", Help: "Always 1; the version is a label.", ConstLabels: prometheus.Labels{labelVersion: version},
	}, func() float64 { return 1 })
	registry.MustRegister(m.polls, m.requests, m.requestDuration, m.operations, m.uses, build)
	return m
}

// KeyVaultRequest counts one HTTP response; it is keyvault.Options.Observe.
func (m *Metrics) KeyVaultRequest(code string, duration time.Duration) {
	m.requests.WithLabelValues(code).Inc()
	m.requestDuration.Observe(duration.Seconds())
}

func (m *Metrics) storeOperation(operation string, err error) {
	m.operations.WithLabelValues(operation, resultOf(err)).Inc()
}

func resultOf(err error) string {
	if err != nil {
		return resultFailed
	}
	return resultSucceeded
}

func (m *Metrics) useSwitched(kind usedby.Kind, err error) {
	m.uses.WithLabelValues(string(kind), resultOf(err)).Inc()
}

func (m *Metrics) poll(out outcome) {
	switch {
	case out.err != nil:
		m.polls.WithLabelValues(resultFailed, string(failure.Of(out.err).Reason)).Inc()
	case out.changed():
		m.polls.WithLabelValues(resultInstalled, string(v1alpha1.ReasonInstalled)).Inc()
	default:
		m.polls.WithLabelValues(resultUnchanged, string(v1alpha1.ReasonInstalled)).Inc()
	}
}

var (
	descInstalled = prometheus.NewDesc("vaultpane_certificates_installed",
		"Certificates that are in the store with their key.", nil, nil)
	descStates = prometheus.NewDesc("vaultpane_certificates",
		"Certificates that target this node, by reason; Installed for those without a failure.", []string{labelReason}, nil)
	descExpiration = prometheus.NewDesc("vaultpane_certificate_expiration_timestamp_seconds",
		"Expiry of the installed certificate, as Unix time.", []string{labelCertificate}, nil)
	descOverdue = prometheus.NewDesc("vaultpane_oldest_overdue_poll_seconds",
		"Age of the oldest poll or retry that is due and has not been made; 0 when none is overdue.", nil, nil)
)

// Describe implements prometheus.Collector.
func (e *Engine) Describe(descs chan<- *prometheus.Desc) {
	descs <- descInstalled
	descs <- descStates
	descs <- descExpiration
	descs <- descOverdue
}

// Collect implements prometheus.Collector: the gauges are computed from what the engine knows now, so none can be left behind.
func (e *Engine) Collect(metrics chan<- prometheus.Metric) {
	installed := 0
	states := map[v1alpha1.Reason]int{}
	for name, known := range e.memory.all() {
		entry := known.entry
		if entry.Thumbprint != "" {
			installed++
		}
		if entry.NotAfter != nil {
			metrics <- prometheus.MustNewConstMetric(descExpiration, prometheus.GaugeValue, float64(entry.NotAfter.Unix()), name)
		}
		reason := entry.Reason
		if reason == "" && entry.Thumbprint != "" {
			reason = v1alpha1.ReasonInstalled
		} else if reason == "" {
			reason = v1alpha1.ReasonPending
		}
		states[reason]++
	}
	for reason, count := range states {
		metrics <- prometheus.MustNewConstMetric(descStates, prometheus.GaugeValue, float64(count), string(reason))
	}
	metrics <- prometheus.MustNewConstMetric(descInstalled, prometheus.GaugeValue, float64(installed))
	overdue := time.Duration(0)
	if oldest := e.OldestDue(); !oldest.IsZero() {
		overdue = max(0, e.Now().Sub(oldest))
	}
	metrics <- prometheus.MustNewConstMetric(descOverdue, prometheus.GaugeValue, overdue.Seconds())
}
