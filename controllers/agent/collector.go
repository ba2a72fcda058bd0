package agent

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

var (
	descInstalled = prometheus.NewDesc("vaultpane_certificates_installed",
		"Certificates that are in the store with their key.", nil, nil)
	descStates = prometheus.NewDesc("vaultpane_certificates",
		"Certificates that want this node by reason; Installed where all is well.", []string{labelReason}, nil)
	descExpiration = prometheus.NewDesc("vaultpane_certificate_expiration_timestamp_seconds",
		"End of validity of the installed certificate, as Unix time.", []string{labelCertificate}, nil)
	descOverdue = prometheus.NewDesc("vaultpane_oldest_overdue_poll_seconds",
		"Age of the oldest poll or retry whose time has come and that has not been made; 0 when none is late.", nil, nil)
)

var (
	descUnwritten = prometheus.NewDesc("vaultpane_report_unwritten_seconds",
		"Age of the oldest change that the node's state in the cluster does not show, because it could not be written; 0 when all is written.", nil, nil)
	descWriteFailures = prometheus.NewDesc("vaultpane_report_write_failures_total",
		"Writes of the node's state that failed.", nil, nil)
)

// Describe implements prometheus.Collector.
func (r *Reconciler) Describe(descs chan<- *prometheus.Desc) {
	descs <- descInstalled
	descs <- descStates
	descs <- descExpiration
	descs <- descOverdue
	descs <- descUnwritten
	descs <- descWriteFailures
}

// Collect implements prometheus.Collector: the gauges are what the agent knows at this moment, so none can be left behind.
func (r *Reconciler) Collect(metrics chan<- prometheus.Metric) {
	now := r.Now()
	installed := 0
	states := map[v1alpha1.Reason]int{}
	for name, remembered := range r.records.all() {
		entry := remembered.entry
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
	if oldest := r.OldestDue(); !oldest.IsZero() {
		overdue = max(0, now.Sub(oldest))
	}
	metrics <- prometheus.MustNewConstMetric(descOverdue, prometheus.GaugeValue, overdue.Seconds())
	unwritten := time.Duration(0)
	if since := r.Reporter.Unwritten(); !since.IsZero() {
		unwritten = max(0, now.Sub(since))
	}
	metrics <- prometheus.MustNewConstMetric(descUnwritten, prometheus.GaugeValue, unwritten.Seconds())
	metrics <- prometheus.MustNewConstMetric(descWriteFailures, prometheus.CounterValue, float64(r.Reporter.WriteFailures()))
}

// OldestDue returns when the poll or retry is or was due that comes first, zero for none.
func (r *Reconciler) OldestDue() time.Time {
	var oldest time.Time
	for _, remembered := range r.records.all() {
		if due := remembered.due; oldest.IsZero() || !due.IsZero() && due.Before(oldest) {
			oldest = due
		}
	}
	return oldest
}
