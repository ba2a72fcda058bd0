package startuptaint

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// What a node waits for: the values of the label waiting_for.
const (
	labelWaitingFor        = "waiting_for"
	waitingForAgent        = "agent"
	waitingForCertificates = "certificates"
	waitingForNothing      = "nothing"
)

// scrapeLimit bounds how long a scrape waits for the cache, which answers immediately once it has started.
const scrapeLimit = 5 * time.Second

var descNodes = prometheus.NewDesc("vaultpane_startup_taint_nodes",
	"Nodes that have the startup taint, by what they wait for: agent (its first report), certificates, or nothing (it is being removed).",
	[]string{labelWaitingFor}, nil)

// instruments are the metrics of removals. Waiting nodes are counted at each scrape.
type instruments struct {
	removals prometheus.Counter
	waited   prometheus.Histogram
}

// newInstruments registers the metrics.
func newInstruments(registry prometheus.Registerer, r *Reconciler) (*instruments, error) {
	i := &instruments{
		removals: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "vaultpane_startup_taint_removals_total", Help: "Startup taints removed from nodes.",
		}),
		waited: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "vaultpane_startup_taint_wait_seconds",
			Help:    "Time from a node's creation to the removal of its startup taint. A taint that is added later also counts from the creation.",
			Buckets: []float64{10, 20, 30, 60, 90, 120, 180, 300, 600, 1200, 1800, 3600},
		}),
	}
	for _, collector := range []prometheus.Collector{i.removals, i.waited, waitingNodes{r}} {
		if err := registry.Register(collector); err != nil {
			return nil, fmt.Errorf("registering the metrics of the startup taint: %w", err)
		}
	}
	return i, nil
}

func (i *instruments) removed(waited time.Duration) {
	i.removals.Inc()
	i.waited.Observe(waited.Seconds())
}

// waitingNodes counts the nodes with the taint from the cache, so no gauge outlives its nodes.
type waitingNodes struct{ r *Reconciler }

// Describe implements prometheus.Collector.
func (waitingNodes) Describe(descs chan<- *prometheus.Desc) { descs <- descNodes }

// Collect implements prometheus.Collector.
func (w waitingNodes) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeLimit)
	defer cancel()
	counts := map[string]int{waitingForAgent: 0, waitingForCertificates: 0, waitingForNothing: 0}
	nodes, err := w.r.allTainted(ctx)
	if err != nil {
		return // the cache has not started: the values are unknown, not zero
	}
	for _, node := range nodes {
		waiting, err := w.r.waiting(ctx, node)
		if err != nil {
			return
		}
		switch {
		case waiting.Done():
			counts[waitingForNothing]++
		case waiting.NoReport:
			counts[waitingForAgent]++
		default:
			counts[waitingForCertificates]++
		}
	}
	for what, count := range counts {
		metrics <- prometheus.MustNewConstMetric(descNodes, prometheus.GaugeValue, float64(count), what)
	}
}
