package agent

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	descUnwritten = prometheus.NewDesc("vaultpane_report_unwritten_seconds",
		"Age of the oldest change that is missing in the node's state in the cluster, because it could not be written; 0 when none is missing.", nil, nil)
	descWriteFailures = prometheus.NewDesc("vaultpane_report_write_failures_total",
		"Writes of the node's state that failed.", nil, nil)
	descDroppedEvents = prometheus.NewDesc("vaultpane_events_dropped_total",
		"Events that were dropped because there were too many at once; the node's state holds the same information.", nil, nil)
)

// Describe implements prometheus.Collector.
func (r *Reconciler) Describe(descs chan<- *prometheus.Desc) {
	r.Engine.Describe(descs)
	descs <- descUnwritten
	descs <- descWriteFailures
	descs <- descDroppedEvents
}

// Collect implements prometheus.Collector, with the engine's gauges and those of reports and events.
func (r *Reconciler) Collect(metrics chan<- prometheus.Metric) {
	r.Engine.Collect(metrics)
	unwritten := time.Duration(0)
	if since := r.Reporter.Unwritten(); !since.IsZero() {
		unwritten = max(0, r.Engine.Now().Sub(since))
	}
	metrics <- prometheus.MustNewConstMetric(descUnwritten, prometheus.GaugeValue, unwritten.Seconds())
	metrics <- prometheus.MustNewConstMetric(descWriteFailures, prometheus.CounterValue, float64(r.Reporter.WriteFailures()))
	metrics <- prometheus.MustNewConstMetric(descDroppedEvents, prometheus.CounterValue, float64(r.droppedEvents.Load()))
}
