package rollup

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Label names. Their values are closed lists: names of ObservedCertificates, states and reasons of the API, results, and
// versions of agents. A node's name is never a label.
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
	stateInstalled    = "installed"
	statePending      = "pending"
	stateFailed       = "failed"
	stateReporting    = "reporting"
	stateNotReporting = "not_reporting"
)

// instruments count what the roll-up does. The gauges are computed from the index at each scrape, see Collect.
type instruments struct {
	writes    *prometheus.CounterVec
	skipped   prometheus.Counter
	coalesced prometheus.Counter
	delay     prometheus.Histogram
	rollout   prometheus.Histogram
}

func newInstruments() *instruments {
	return &instruments{
		writes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "vaultpane_status_writes_total", Help: "Writes of an ObservedCertificate's status by result.",
		}, []string{labelResult}),
		skipped: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vaultpane_status_writes_skipped_total", Help: "Statuses that were computed and not written because they had not changed. Each write causes one, when the controller receives its own change.",
		}),
		coalesced: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vaultpane_status_writes_coalesced_total", Help: "Changes that were written together with a pending status write.",
		}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vaultpane_rollup_delay_seconds", Help: "Time from the first change that a status contains to its write.",
			Buckets: []float64{.01, .05, .1, .5, 1, 2, 5, 10, 30, 60, 300},
		}),
		rollout: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "vaultpane_version_watch_rollout_seconds", Help: "Time from the publication of a version to the last selected node that has it, with the pauses of waves.",
			Buckets: []float64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600, 21600, 86400},
		}),
	}
}

var (
	descNodes = prometheus.NewDesc("vaultpane_certificate_nodes",
		"Nodes that a certificate selects by state (installed, pending, failed) and reason.", []string{labelCertificate, labelState, labelReason}, nil)
	descExpiration = prometheus.NewDesc("vaultpane_certificate_expiration_timestamp_seconds",
		"Earliest expiry of the certificate on a selected node, as Unix time.", []string{labelCertificate}, nil)
	descReady = prometheus.NewDesc("vaultpane_certificate_ready",
		"1 if the condition Ready is True, else 0.", []string{labelCertificate}, nil)
	descBuild   = prometheus.NewDesc("vaultpane_controller_build_info", "Always 1; the version is a label.", []string{labelVersion}, nil)
	descMatched = prometheus.NewDesc("vaultpane_certificate_matched_nodes",
		"Nodes that a certificate selects; 0 if its selector matches no node that runs the agent.", []string{labelCertificate}, nil)
	descUseFailed = prometheus.NewDesc("vaultpane_certificate_use_failed_nodes",
		"Nodes on which an entry of spec.usedBy failed: a program does not use the current version. Only of certificates with usedBy.", []string{labelCertificate}, nil)
	descSyncFailing = prometheus.NewDesc("vaultpane_certificate_sync_failing",
		"1 if polls fail on a node that has a valid certificate, so a renewal would not be installed, else 0.", []string{labelCertificate}, nil)
	descSuspended = prometheus.NewDesc("vaultpane_certificate_suspended",
		"1 if spec.suspend is set, else 0.", []string{labelCertificate}, nil)
	descVersions = prometheus.NewDesc("vaultpane_agent_version_nodes",
		"Nodes whose agent has reported by the agent's version.", []string{labelVersion}, nil)
	descAgents = prometheus.NewDesc("vaultpane_agent_nodes",
		"Nodes that run the agent by whether it renews its Lease and can write its report (reporting) or not (not_reporting).", []string{labelState}, nil)
	descOldestRollup = prometheus.NewDesc("vaultpane_oldest_overdue_rollup_seconds",
		"Age of the longest overdue status write; 0 if none is overdue.", nil, nil)
	descOldestPoll = prometheus.NewDesc("vaultpane_oldest_overdue_poll_seconds",
		"Age of the oldest overdue poll on a node, from the agents' Leases; 0 if none is overdue.", nil, nil)
)

// register adds the counters and the gauges to the registry.
func (r *Rollup) register() error {
	registry := r.Registry
	if registry == nil {
		registry = metrics.Registry
	}
	for _, collector := range []prometheus.Collector{r.instruments.writes, r.instruments.skipped, r.instruments.coalesced, r.instruments.delay, r.instruments.rollout, r} {
		if err := registry.Register(collector); err != nil {
			return fmt.Errorf("registering the metrics of the roll-up: %w", err)
		}
	}
	return nil
}

// Describe implements prometheus.Collector.
func (r *Rollup) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{
		descBuild, descNodes, descMatched, descExpiration, descReady, descSyncFailing, descUseFailed, descSuspended, descAgents, descVersions, descOldestRollup, descOldestPoll,
	} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector. Gauges are computed from the index, so none outlives its object.
func (r *Rollup) Collect(found chan<- prometheus.Metric) {
	now := r.Now()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		found <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	gauge(descBuild, 1, r.Version)
	agents, certificates, complete := r.index.totals(r.ExpiringSoon, now)
	if !complete {
		return // another controller leads, or this one is still loading: the values are unknown, not zero
	}
	gauge(descOldestRollup, r.queue.Oldest(now).Seconds())
	gauge(descAgents, float64(agents.reporting), stateReporting)
	gauge(descAgents, float64(agents.notReporting), stateNotReporting)
	gauge(descOldestPoll, agents.overdue.Seconds())
	for version, count := range agents.versions {
		gauge(descVersions, float64(count), version)
	}
	for _, c := range certificates {
		c.collect(gauge)
	}
}

// agentTotals counts the nodes that run the agent.
type agentTotals struct {
	reporting, notReporting int
	overdue                 time.Duration  // age of the oldest overdue poll
	versions                map[string]int // nodes whose agent has reported, by its version
}

// certificateTotals are what the gauges of one certificate are computed from.
type certificateTotals struct {
	desired
	summary
}

// totals returns what the gauges are computed from, and whether the index is complete.
func (x *index) totals(expiringSoon time.Duration, now time.Time) (agentTotals, []certificateTotals, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	agents := agentTotals{versions: map[string]int{}}
	for _, n := range x.nodes {
		runs, _ := n.runsAgent(now)
		if n.version != "" && runs {
			agents.versions[n.version]++
		}
		reporting := n.reported && n.unwritten.IsZero() && now.Before(n.renewed.Add(notReportingAfter))
		switch {
		case reporting:
			agents.reporting++
			if !n.overdue.IsZero() {
				agents.overdue = max(agents.overdue, now.Sub(n.overdue))
			}
		case runs:
			agents.notReporting++
		}
	}
	certificates := make([]certificateTotals, 0, len(x.certificates))
	for _, c := range x.certificates {
		certificates = append(certificates, certificateTotals{c.desired, c.summarize(expiringSoon, now)})
	}
	return agents, certificates, x.complete
}

// collect sends the gauges of one certificate.
func (c certificateTotals) collect(gauge func(desc *prometheus.Desc, value float64, labels ...string)) {
	gauge(descMatched, float64(c.matched), c.name)
	gauge(descReady, oneIf(c.ready(c.desired).Status == metav1.ConditionTrue), c.name)
	gauge(descSyncFailing, oneIf(c.syncFailing > 0), c.name)
	if len(c.desired.uses) > 0 {
		gauge(descUseFailed, float64(c.useFailed), c.name)
	}
	gauge(descSuspended, oneIf(c.desired.suspended), c.name)
	if c.expiry != 0 {
		gauge(descExpiration, float64(c.expiry), c.name)
	}
	if c.installed > 0 {
		gauge(descNodes, float64(c.installed), c.name, stateInstalled, string(v1alpha1.ReasonInstalled))
	}
	for _, t := range c.byReason(failed) {
		gauge(descNodes, float64(t.count), c.name, stateFailed, string(t.reason))
	}
	for _, t := range c.byReason(pending) {
		gauge(descNodes, float64(t.count), c.name, statePending, string(t.reason))
	}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
