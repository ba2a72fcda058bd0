package standalone

import "github.com/prometheus/client_golang/prometheus"

var (
	descProblems = prometheus.NewDesc("vaultpane_settings_problems",
		"Problems of the settings files at the moment; what was in use before stays in use.", nil, nil)
	descStateFailures = prometheus.NewDesc("vaultpane_state_write_failures_total",
		"Writes of the state's file that failed.", nil, nil)
)

// Describe implements prometheus.Collector.
func (a *Agent) Describe(descs chan<- *prometheus.Desc) {
	a.Engine.Describe(descs)
	descs <- descProblems
	descs <- descStateFailures
}

// Collect implements prometheus.Collector, with the engine's gauges and those of the files.
func (a *Agent) Collect(metrics chan<- prometheus.Metric) {
	a.Engine.Collect(metrics)
	metrics <- prometheus.MustNewConstMetric(descProblems, prometheus.GaugeValue, float64(len(a.Problems())))
	metrics <- prometheus.MustNewConstMetric(descStateFailures, prometheus.CounterValue, float64(a.State.Failures()))
}
