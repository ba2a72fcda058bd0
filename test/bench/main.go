// Command bench measures the agent and the controller as processes of their own against a real control plane, the agent with
// a Key Vault over TLS and the controller with a simulated fleet, and prints a table: what was measured, the goal, and whether
// it holds. The agent's speed is a ratio to a bare loop in the same run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/test/bench/result"
	"github.com/vaultpane/vaultpane/test/bench/watch"
)

// scale is how much is measured.
type scale struct {
	parts                                                           []string
	certificates, wineCertificates, rounds, wineRounds, storeRounds int
	nodes, nodeCertificates, fleetRounds                            int
	memoryNodes, memoryCertificates                                 int
	quiet                                                           time.Duration
	watch                                                           watch.Size
	page                                                            string
}

// part is what can be measured on its own.
type part struct {
	name    string
	measure func(context.Context, scale, *table) error
}

// parts are measured in this order.
var parts = []part{
	{"agent", measureAgent},
	{"cold", measureCold},
	{"credential", measureCredential},
	{"author", measureAuthor},
	{"store", measureStore},
	{"controller", measureController},
	{"controller-memory", measureControllerMemory},
	{"plugin", measurePlugin},
	{"watch", measureWatch},
}

// quick is what `bench quick` measures, in two to three minutes: whether everything works, and roughly how fast.
func quick() scale {
	return scale{
		parts: []string{"cold", "store", "watch"}, certificates: 100, rounds: 1, storeRounds: 100, wineRounds: 1, watch: watch.Quick,
		nodes: 100, nodeCertificates: 10, fleetRounds: 1, memoryNodes: 500, memoryCertificates: 20, quiet: 10 * time.Second,
	}
}

// full is what `bench` measures, in up to 25 minutes on two processors.
func full() scale {
	return scale{
		parts:        []string{"agent", "cold", "credential", "author", "store", "controller", "watch"},
		certificates: 1000, rounds: 3, wineCertificates: 200, wineRounds: 1, storeRounds: 1000, watch: watch.Full,
		nodes: 1000, nodeCertificates: 50, fleetRounds: 3, memoryNodes: 5000, memoryCertificates: 100, quiet: time.Minute,
	}
}

// flags reads the command line: quick, and what differs from it or from the full bench.
func flags(arguments []string) scale {
	s := full()
	if len(arguments) > 0 && arguments[0] == "quick" {
		s, arguments = quick(), arguments[1:]
	}
	set := flag.CommandLine
	chosen := set.String("parts", strings.Join(s.parts, ","), "what to measure: agent, cold, credential, author, store, controller, watch, controller-memory, plugin; the last two take some 5 GB of memory")
	set.IntVar(&s.certificates, "certificates", s.certificates, "certificates of a cold sync on the directory store; five times as many are synced too")
	set.IntVar(&s.wineCertificates, "wine-certificates", s.wineCertificates, "the same under Wine; 0 leaves Wine out")
	set.IntVar(&s.rounds, "rounds", s.rounds, "rounds of agent and bare loop, alternating")
	set.IntVar(&s.wineRounds, "wine-rounds", s.wineRounds, "the same under Wine, where one of 1,000 certificates takes about 9 minutes")
	set.IntVar(&s.storeRounds, "store-rounds", s.storeRounds, "rounds of installing, replacing and removing on Windows' store under Wine, about 0.04 s each; 0 leaves them out")
	set.IntVar(&s.nodes, "nodes", s.nodes, "simulated nodes that the controller sees")
	set.IntVar(&s.nodeCertificates, "node-certificates", s.nodeCertificates, "certificates on each of them")
	set.IntVar(&s.fleetRounds, "fleet-rounds", s.fleetRounds, "rounds in which all of them start, and in which all certificates rotate")
	set.IntVar(&s.memoryNodes, "memory-nodes", s.memoryNodes, "simulated nodes of the parts controller-memory and plugin")
	set.IntVar(&s.memoryCertificates, "memory-certificates", s.memoryCertificates, "certificates on each of them")
	set.DurationVar(&s.quiet, "quiet", s.quiet, "length of the idle time in which there should be no request and no write")
	set.IntVar(&s.watch.Nodes, "watch-nodes", s.watch.Nodes, "real agents of the part watch, all in one process: a power of ten")
	set.StringVar(&s.page, "page", "", "page to write the results into, as in -page=docs/performance.md, and the plots beside it; empty for none")
	_ = set.Parse(arguments) // it exits on an error
	s.parts = strings.Split(*chosen, ",")
	return s
}

func main() {
	ctrl.SetLogger(logr.Discard()) // first: controller-runtime prints a stack when it has none after 30 s, which builds take
	s := flags(os.Args[1:])
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	start := time.Now()
	missed, err := run(ctx, s)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: FAIL %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("bench: DONE in %.0f s, %d goals missed\n", time.Since(start).Seconds(), missed)
}

// run returns how many goals were missed.
func run(ctx context.Context, s scale) (missed int, err error) {
	for _, name := range s.parts {
		if !slices.ContainsFunc(parts, func(p part) bool { return p.name == name }) {
			return 0, fmt.Errorf("-parts has %q, which is none of them", name)
		}
	}
	t, before := &table{}, load()
	for _, p := range parts {
		if !slices.Contains(s.parts, p.name) {
			continue
		}
		t.Part = p.name
		fmt.Printf("bench: %s, load average %s\n", p.name, load())
		if err := p.measure(ctx, s, t); err != nil {
			return 0, fmt.Errorf("measuring %s: %w", p.name, err)
		}
	}
	if s.page != "" {
		if err := (result.Page{Path: s.page, Plots: plots, Command: command(os.Args[1:]), Load: before}).Write(t); err != nil {
			return 0, fmt.Errorf("writing the page: %w", err)
		}
	}
	return t.Print(), nil
}

// plots is the file of the plots, beside the page.
const plots = "performance.svg"

// command is how the bench was started, from the arguments.
func command(arguments []string) string {
	kept := slices.DeleteFunc(slices.Clone(arguments), func(argument string) bool { return strings.HasPrefix(argument, "-page") })
	if len(kept) == 0 {
		return "make bench"
	}
	return `make bench BENCH="` + strings.Join(kept, " ") + `"`
}

// load is the load average of the last 1, 5 and 15 minutes: what else the machine was doing.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(text)); err == nil && len(fields) >= 3 {
		return strings.Join(fields[:3], " ")
	}
	return "unknown"
}

func measureAgent(ctx context.Context, s scale, t *table) error {
	b, err := newBench(ctx, t)
	defer b.close()
	if err != nil {
		return err
	}
	if err := b.requestsPerInterval(ctx); err != nil {
		return err
	}
	return b.memoryAndQuiet(ctx, s.quiet)
}

func measureCredential(ctx context.Context, _ scale, t *table) error {
	b, err := newBench(ctx, t)
	defer b.close()
	if err != nil {
		return err
	}
	return b.wrongSecret(ctx, 100)
}

func measureAuthor(ctx context.Context, _ scale, t *table) error {
	b, err := newBench(ctx, t)
	defer b.close()
	if err != nil {
		return err
	}
	return b.oneAuthor(ctx)
}

func measureStore(ctx context.Context, s scale, t *table) error {
	if s.storeRounds == 0 {
		return nil
	}
	b, err := newBench(ctx, t)
	defer b.close()
	if err != nil {
		return err
	}
	return b.storeRounds(ctx, s.storeRounds)
}

func measureWatch(ctx context.Context, s scale, t *table) error {
	return watch.Measure(ctx, t, s.watch)
}
