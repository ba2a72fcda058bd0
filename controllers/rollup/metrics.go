package rollup

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Label names. Their values are closed lists: names of ObservedCertificates, states and reasons of the API, results, versions of agents. A node's
// name is never a label.
const (
	labelCertificate = "certificate"
	labelState       = "state"
	labelReason      = "reason"
	labelResult      = "result"
	labelVersion     = "version"
)

// Results of a status write.
const (
	resultSucceeded = "succeeded"
	resultFailed    = "failed"
)

// Values of the label state. The first three are those of status.nodes.
const (
	stateInstalled = "installed"
	statePending   = "pending"
	stateFailed    = "failed"
	stateReporting = "reporting"
	stateSilent    = "silent"
)

// meters count what the roll-up does. Gauges are computed from the index when scraped, see Collect.
type meters struct {
	writes    *prometheus.CounterVec
	skipped   prometheus.Counter
	coalesced prometheus.Counter
	delay     prometheus.Histogram
}

func newMeters() *meters {
	return &meters{
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_status_writes_total", Help: "Writes of an ObservedCertificate's status by result.",
		}, []string{labelResult}),
		skipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vaultpane_status_writes_skipped_total", Help: "Statuses that were computed and not written, because nothing in them differed. Each write is followed by one: the look at its own echo.",
		}),
		coalesced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vaultpane_status_writes_coalesced_total", Help: "Changes that went out with a status that was to be written anyway.",
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vaultpane_rollup_delay_seconds", Help: "Time from the first change that a status shows to its write.",
			Buckets: []float64{.01, .05, .1, .5, 1, 2, 5, 10, 30, 60, 300},
		}),
	}
}

var (
	descNodes = prometheus.NewDesc("vaultpane_certificate_nodes",
		"Nodes that a certificate selects by state (installed, pending, failed) and reason.", []string{labelCertificate, labelState, labelReason}, nil)
	descExpiration = prometheus.NewDesc("vaultpane_certificate_expiration_timestamp_seconds",
		"First end of validity of what a selected node has of the certificate, as Unix time.", []string{labelCertificate}, nil)
	descReady = prometheus.NewDesc("vaultpane_certificate_ready",
		"1 where the condition Ready is True, else 0.", []string{labelCertificate}, nil)
	descBuild   = prometheus.NewDesc("vaultpane_controller_build_info", "Always 1; the version is a label.", []string{labelVersion}, nil)
	descMatched = prometheus.NewDesc("vaultpane_certificate_matched_nodes",
		"Nodes that a certificate selects; 0 where its selector matches none that runs the agent.", []string{labelCertificate}, nil)
	descSyncFailing = prometheus.NewDesc("vaultpane_certificate_sync_failing",
		"1 where polls fail on a node that has a valid certificate, so that a renewal would not arrive, else 0.", []string{labelCertificate}, nil)
	descSuspended = prometheus.NewDesc("vaultpane_certificate_suspended",
		"1 where the spec says suspend, else 0.", []string{labelCertificate}, nil)
	descVersions = prometheus.NewDesc("vaultpane_agent_version_nodes",
		"Nodes whose agent reported by the agent's version.", []string{labelVersion}, nil)
	descAgents = prometheus.NewDesc("vaultpane_agent_nodes",
		"Nodes that run the agent by whether it renews its Lease and can write its report (reporting) or not (silent).", []string{labelState}, nil)
	descOldestRollup = prometheus.NewDesc("vaultpane_oldest_overdue_rollup_seconds",
		"Age of the status that has been due longest and is not written; 0 when none is late.", nil, nil)
	descOldestPoll = prometheus.NewDesc("vaultpane_oldest_overdue_poll_seconds",
		"Age of the oldest poll that is overdue on a node, as the agents' Leases tell; 0 when none is.", nil, nil)
)

// register adds the counters and the gauges to the registry.
func (r *Rollup) register() error {
	registry := r.Registry
	if registry == nil {
		registry = metrics.Registry
	}
	for _, collector := range []prometheus.Collector{r.meters.writes, r.meters.skipped, r.meters.coalesced, r.meters.delay, r} {
		if err := registry.Register(collector); err != nil {
			return fmt.Errorf("registering the metrics of the roll-up: %w", err)
		}
	}
	return nil
}

// Describe implements prometheus.Collector.
func (r *Rollup) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		descBuild, descNodes, descMatched, descExpiration, descReady, descSyncFailing, descSuspended, descAgents, descVersions, descOldestRollup, descOldestPoll,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector: the gauges are what the index knows at this moment, so none can be left behind.
func (r *Rollup) Collect(found chan<- prometheus.Metric) {
	now := r.Now()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		found <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(descBuild, 1, r.Version)
	agents, surveyed, complete := r.index.survey(r.ExpiringSoon, now)
	if !complete {
		return // another controller leads, or this one has not seen everything yet: nothing is known, which is not zero
	}
	gauge(descOldestRollup, r.outbox.oldest(now).Seconds())
	gauge(descAgents, float64(agents.reporting), stateReporting)
	gauge(descAgents, float64(agents.silent), stateSilent)
	gauge(descOldestPoll, agents.overdue.Seconds())
	for version, count := range agents.versions {
		gauge(descVersions, float64(count), version)
	}
	for _, c := range surveyed {
		c.collect(gauge)
	}
}

// collect gives the gauges of one certificate.
func (c surveyed) collect(gauge func(desc *prometheus.Desc, value float64, labels ...string)) {
	gauge(descMatched, float64(c.matched), c.name)
	gauge(descReady, oneIf(c.ready(c.wish).Status == metav1.ConditionTrue), c.name)
	gauge(descSyncFailing, oneIf(c.syncFailing > 0), c.name)
	gauge(descSuspended, oneIf(c.wish.suspended), c.name)
	if c.ends != 0 {
		gauge(descExpiration, float64(c.ends), c.name)
	}
	if c.installed > 0 {
		gauge(descNodes, float64(c.installed), c.name, stateInstalled, string(v1alpha1.ReasonInstalled))
	}
	for _, t := range c.merged(failed) {
		gauge(descNodes, float64(t.count), c.name, stateFailed, string(t.reason))
	}
	for _, t := range c.merged(pending) {
		gauge(descNodes, float64(t.count), c.name, statePending, string(t.reason))
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
