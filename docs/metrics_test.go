// Package docs_test keeps the pages that describe code in step with it.
package docs_test

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/config"

	"github.com/vaultpane/vaultpane/controllers/agent"
	"github.com/vaultpane/vaultpane/controllers/rollup"
	"github.com/vaultpane/vaultpane/controllers/startuptaint"
	"github.com/vaultpane/vaultpane/controllers/versionwatch"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/eventgrid"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/internal/standalone"
	"github.com/vaultpane/vaultpane/test/suite"
)

var update = flag.Bool("update", false, "write docs/metrics.md")

const generatedBetween = "<!-- %s of the %s, generated from the code by make generate -->\n"

func TestTheMetricsPageNamesEveryMetric(t *testing.T) {
	const page = "metrics.md"
	before, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	after := string(before)
	for part, collectors := range map[string][]prometheus.Collector{
		"agent": agentCollectors(), "agent without a cluster": standaloneCollectors(), "controller": controllerCollectors(t),
	} {
		begin, end := fmt.Sprintf(generatedBetween, "Begin", part), fmt.Sprintf(generatedBetween, "End", part)
		head, rest, found := strings.Cut(after, begin)
		_, tail, ended := strings.Cut(rest, end)
		if !found || !ended {
			t.Fatalf("%s has no place for the metrics of the %s", page, part)
		}
		after = head + begin + table(t, collectors) + end + tail
	}
	if *update {
		if err := os.WriteFile(page, []byte(after), 0o600); err != nil {
			t.Fatal(err)
		}
	} else if after != string(before) {
		t.Errorf("docs/%s does not show the metrics of the code; run make generate", page)
	}
}

// notebook takes collectors instead of a registry.
type notebook struct{ collectors []prometheus.Collector }

func (n *notebook) Register(c prometheus.Collector) error {
	n.collectors = append(n.collectors, c)
	return nil
}

func (n *notebook) MustRegister(all ...prometheus.Collector) {
	n.collectors = append(n.collectors, all...)
}

func (n *notebook) Unregister(prometheus.Collector) bool { return false }

func agentCollectors() []prometheus.Collector {
	notes := &notebook{}
	engine.NewMetrics(notes, "v0")
	return append(notes.collectors, &agent.Reconciler{Engine: &engine.Engine{}})
}

// standaloneCollectors are those of an agent without a cluster that other agents do not have.
func standaloneCollectors() []prometheus.Collector {
	return []prometheus.Collector{additional{of: &standalone.Agent{Engine: &engine.Engine{}}, without: &engine.Engine{}}}
}

// additional is a collector without what it has in common with another.
type additional struct{ of, without prometheus.Collector }

func (a additional) Describe(descs chan<- *prometheus.Desc) {
	common := map[string]bool{}
	for _, desc := range described(a.without) {
		common[desc.String()] = true
	}
	for _, desc := range described(a.of) {
		if !common[desc.String()] {
			descs <- desc
		}
	}
}

func (a additional) Collect(metrics chan<- prometheus.Metric) { a.of.Collect(metrics) }

func described(collector prometheus.Collector) []*prometheus.Desc {
	descs := make(chan *prometheus.Desc)
	go func() {
		collector.Describe(descs)
		close(descs)
	}()
	var all []*prometheus.Desc
	for desc := range descs {
		all = append(all, desc)
	}
	return all
}

func controllerCollectors(t *testing.T) []prometheus.Collector {
	t.Helper()
	mgr := unconnectedManager(t)
	notes := &notebook{}
	roll := &rollup.Rollup{Client: mgr.GetClient(), Now: time.Now, Registry: notes, Options: rollup.Options{Agents: labels.Everything()}}
	taint := &startuptaint.Reconciler{Client: mgr.GetClient(), Now: time.Now, Registry: notes}
	watch := &versionwatch.Watch{Client: mgr.GetClient(), Now: time.Now, Registry: notes}
	if _, err := versionwatch.CountRequests(notes); err != nil {
		t.Fatal(err)
	}
	setUpWatch := func(mgr ctrl.Manager) error { return watch.SetupWithManager(t.Context(), mgr) }
	for _, setUp := range []func(ctrl.Manager) error{roll.SetupWithManager, taint.SetupWithManager, setUpWatch} {
		if err := setUp(mgr); err != nil {
			t.Fatal(err)
		}
	}
	receiver, err := eventgrid.New(eventgrid.Options{
		Endpoint: "https://vaultpane.westeurope-1.eventgrid.azure.net", Topic: "vaults", Subscription: "vaultpane", Look: watch.Look,
	})
	if err != nil {
		t.Fatal(err)
	}
	return append(notes.collectors, receiver)
}

// unconnectedManager is never started, and so needs no API server.
func unconnectedManager(t *testing.T) ctrl.Manager {
	t.Helper()
	unnamed := true
	mgr, err := ctrl.NewManager(&rest.Config{Host: "https://127.0.0.1:1"}, ctrl.Options{
		Scheme: suite.Scheme(), Controller: config.Controller{SkipNameValidation: &unnamed}, // several in one process
		MapperProvider: func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return scheme.Mapper(), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return mgr
}

// description is how a prometheus.Desc prints itself; it has no other way to be read.
var description = regexp.MustCompile(`fqName: "([^"]+)", help: "((?:[^"\\]|\\.)*)", (?:unit: "[^"]*", )?constLabels: \{([^}]*)\}, variableLabels: \{([^}]*)\}`)

func table(t *testing.T, collectors []prometheus.Collector) string {
	t.Helper()
	var rows []string
	for _, collector := range collectors {
		for _, desc := range described(collector) {
			parts := description.FindStringSubmatch(desc.String())
			if parts == nil {
				t.Fatalf("cannot read %s", desc)
			}
			constant, _, _ := strings.Cut(parts[3], "=")
			rows = append(rows, fmt.Sprintf("| `%s` | %s | %s | %s |\n", parts[1], kindOf(collector, parts[1]), quoted(parts[4], constant), parts[2]))
		}
	}
	slices.Sort(rows)
	return "\n| metric | kind | labels | meaning |\n|---|---|---|---|\n" + strings.Join(rows, "") + "\n"
}

func kindOf(collector prometheus.Collector, name string) string {
	_, one := collector.(prometheus.Histogram)
	_, many := collector.(*prometheus.HistogramVec)
	switch {
	case strings.HasSuffix(name, "_total"):
		return "counter"
	case one || many:
		return "histogram"
	}
	return "gauge"
}

func quoted(labels ...string) string {
	var all []string
	for _, label := range labels {
		for name := range strings.SplitSeq(label, ",") {
			if name != "" {
				all = append(all, "`"+name+"`")
			}
		}
	}
	return strings.Join(all, " ")
}

// Names and units as Prometheus has them (https://prometheus.io/docs/practices/naming/), no label without bound, and no query
// on the page for a metric that there is not.
func TestMetricNames(t *testing.T) {
	labelled := regexp.MustCompile("^\\| `(vaultpane_[a-z0-9_]+)` \\| [a-z]+ \\| ([^|]*) \\|")
	known := map[string]bool{}
	for row := range strings.SplitSeq(table(t, slices.Concat(agentCollectors(), standaloneCollectors(), controllerCollectors(t))), "\n") {
		cells := labelled.FindStringSubmatch(row)
		if cells == nil {
			if strings.Contains(row, "`") {
				t.Errorf("no good name: %s", row)
			}
			continue
		}
		known[cells[1]] = true
		for _, unbounded := range []string{"`node`", "`url`", "`thumbprint`", "`message`"} {
			if strings.Contains(cells[2], unbounded) {
				t.Errorf("%s has the label %s, which has no bound", cells[1], unbounded)
			}
		}
	}
	page, err := os.ReadFile("metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`vaultpane_[a-z0-9_]+`).FindAllString(string(page), -1) {
		if !known[name] {
			t.Errorf("the page names %s, which there is not", name)
		}
	}
}
