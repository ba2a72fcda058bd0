package rollup

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Label names. Their values are closed lists: names of ObservedCertificates, states and reasons of the API, results. A node's
// name is never a label.
const (
	labelCertificate = "certificate"
	labelState       = "state"
	labelReason      = "reason"
	labelResult      = "result"
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
		"1 where every selected node has the current version as the spec wants it, else 0.", []string{labelCertificate}, nil)
	descAgents = prometheus.NewDesc("vaultpane_agent_nodes",
		"Nodes that run the agent by whether it gives a sign of life (reporting, silent).", []string{labelState}, nil)
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
	for _, collector := range []prometheus.Collector{r.meters.writes, r.meters.skipped, r.meters.coalesced, r.meters.delay, r, inventory{r}} {
		if err := registry.Register(collector); err != nil {
			return fmt.Errorf("registering the metrics of the roll-up: %w", err)
		}
	}
	return nil
}

// Describe implements prometheus.Collector.
func (r *Rollup) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{descNodes, descExpiration, descReady, descAgents, descOldestRollup, descOldestPoll} {
		descs <- desc
	}
}

// Collect implements prometheus.Collector: the gauges are what the index knows at this moment, so none can be left behind.
func (r *Rollup) Collect(found chan<- prometheus.Metric) {
	now := r.Now()
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		found <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	agents, summaries, complete := r.index.survey(now)
	if !complete {
		return // another controller leads, or this one has not seen everything yet: nothing is known, which is not zero
	}
	gauge(descOldestRollup, r.outbox.oldest(now).Seconds())
	gauge(descAgents, float64(agents.reporting), stateReporting)
	gauge(descAgents, float64(agents.silent), stateSilent)
	gauge(descOldestPoll, agents.overdue.Seconds())
	for name, s := range summaries {
		gauge(descReady, readiness(s), name)
		if s.ends != 0 {
			gauge(descExpiration, float64(s.ends), name)
		}
		if s.installed > 0 {
			gauge(descNodes, float64(s.installed), name, stateInstalled, string(v1alpha1.ReasonInstalled))
		}
		for _, t := range s.merged(failed) {
			gauge(descNodes, float64(t.count), name, stateFailed, string(t.reason))
		}
		for _, t := range s.merged(pending) {
			gauge(descNodes, float64(t.count), name, statePending, string(t.reason))
		}
	}
}

// readiness is 1 where the condition Ready is True, which it is where all nodes are installed.
func readiness(s summary) float64 {
	if s.installed == s.matched {
		return 1
	}
	return 0
}

// agents counts the nodes that run the agent.
type agents struct {
	reporting, silent int
	overdue           time.Duration
}

// survey returns everything that gauges are computed from, and whether that is complete.
func (x *index) survey(now time.Time) (agents, map[string]summary, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var found agents
	for _, n := range x.nodes {
		runs, _ := n.runsAgent(now)
		alive := n.reported && now.Before(n.renewed.Add(silentAfter))
		switch {
		case alive:
			found.reporting++
			if !n.overdue.IsZero() {
				found.overdue = max(found.overdue, now.Sub(n.overdue))
			}
		case runs:
			found.silent++
		}
	}
	summaries := make(map[string]summary, len(x.certificates))
	for name, c := range x.certificates {
		summaries[name] = c.summarize(now)
	}
	return found, summaries, x.complete
}
