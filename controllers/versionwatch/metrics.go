package versionwatch

import (
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// Label names. Their values are closed lists: results, the reasons of the API, states, and HTTP status codes.
const (
	labelResult = "result"
	labelReason = "reason"
	labelState  = "state"
	labelCode   = "code"
)

// Values of the labels result and state.
const (
	resultSucceeded = "succeeded"
	resultFailed    = "failed"
	stateWatched    = "watched"
	stateFailing    = "failing"
	statePending    = "pending"
)

// instruments count lists. The gauges are computed from the records at each scrape, see Collect.
type instruments struct {
	lists *prometheus.CounterVec
}

func (i *instruments) listed(err error) {
	var failure *keyvault.Failure
	switch {
	case err == nil:
		i.lists.WithLabelValues(resultSucceeded, "").Inc()
	case errors.As(err, &failure):
		i.lists.WithLabelValues(resultFailed, string(failure.Reason.Info().Reason)).Inc()
	}
}

var (
	descSecrets = prometheus.NewDesc("vaultpane_version_watch_secrets",
		"Secrets whose versions are watched, by state: watched, failing (the nodes poll), pending (not listed yet).", []string{labelState}, nil)
	descAge = prometheus.NewDesc("vaultpane_version_watch_publication_age_seconds",
		"Time since the vault that was longest not on schedule was on schedule; 0 if all are. From 180 on, the nodes poll that vault.", nil, nil)
	descOverdue = prometheus.NewDesc("vaultpane_version_watch_oldest_overdue_list_seconds",
		"For how long the oldest due list of versions has been due, 0 if none is.", nil, nil)
)

// CountRequests returns a function that counts the HTTP responses of the version watch, as keyvault.Options.Observe; registry is nil
// for controller-runtime's.
func CountRequests(registry prometheus.Registerer) (func(code string, _ time.Duration), error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vaultpane_version_watch_requests_total", Help: "HTTP responses of Key Vault and of the token service to the version watch by status code, or error.",
	}, []string{labelCode})
	if registry == nil {
		registry = metrics.Registry
	}
	if err := registry.Register(requests); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return func(code string, _ time.Duration) { requests.WithLabelValues(code).Inc() }, nil
}

// register registers the metrics.
func (w *Watch) register() error {
	w.instruments = &instruments{lists: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vaultpane_version_watch_lists_total", Help: "Lists of the versions of a secret, by result and reason. A list of more than 25 versions takes several requests.",
	}, []string{labelResult, labelReason})}
	registry := w.Registry
	if registry == nil {
		registry = metrics.Registry
	}
	for _, collector := range []prometheus.Collector{w.instruments.lists, w} {
		if err := registry.Register(collector); err != nil {
			return fmt.Errorf("registering metrics: %w", err)
		}
	}
	return nil
}

// Describe implements prometheus.Collector.
func (w *Watch) Describe(descriptions chan<- *prometheus.Desc) {
	for _, description := range []*prometheus.Desc{descSecrets, descAge, descOverdue} {
		descriptions <- description
	}
}

// Collect implements prometheus.Collector.
func (w *Watch) Collect(values chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.Now()
	states := map[string]int{stateWatched: 0, stateFailing: 0, statePending: 0}
	var overdue, age float64
	for _, r := range w.records {
		switch {
		case r.failing():
			states[stateFailing]++
		case r.known():
			states[stateWatched]++
		default:
			states[statePending]++
		}
		if due := r.due(); !due.IsZero() {
			overdue = max(overdue, now.Sub(due).Seconds())
		}
	}
	for _, at := range w.vaults {
		age = max(age, now.Sub(at).Seconds())
	}
	if age < beatCheck.Seconds()*2 {
		age = 0 // it is checked at that interval
	}
	for state, count := range states {
		values <- prometheus.MustNewConstMetric(descSecrets, prometheus.GaugeValue, float64(count), state)
	}
	values <- prometheus.MustNewConstMetric(descAge, prometheus.GaugeValue, age)
	values <- prometheus.MustNewConstMetric(descOverdue, prometheus.GaugeValue, overdue)
}
