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
)

// scale is how much is measured.
type scale struct {
	parts                                                           []string
	certificates, wineCertificates, rounds, wineRounds, storeRounds int
	nodes, nodeCertificates, fleetRounds                            int
	memoryNodes, memoryCertificates                                 int
	quiet                                                           time.Duration
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
}

func flags() scale {
	var s scale
	chosen := flag.String("parts", "agent,cold,credential,author,store,controller", "what to measure: agent, cold, credential, author, store, controller, controller-memory, plugin; the last two take some 5 GB of memory")
	flag.IntVar(&s.certificates, "certificates", 1000, "certificates of a cold sync on the directory store; five times as many are synced too")
	flag.IntVar(&s.wineCertificates, "wine-certificates", 1000, "the same under Wine; 0 leaves Wine out")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds of agent and bare loop, alternating")
	flag.IntVar(&s.wineRounds, "wine-rounds", 1, "the same under Wine, where one of 1,000 certificates takes about 9 minutes")
	flag.IntVar(&s.storeRounds, "store-rounds", 1000, "rounds of installing, replacing and removing on Windows' store under Wine, about 0.1 s each; 0 leaves them out")
	flag.IntVar(&s.nodes, "nodes", 1000, "simulated nodes that the controller sees")
	flag.IntVar(&s.nodeCertificates, "node-certificates", 50, "certificates on each of them")
	flag.IntVar(&s.fleetRounds, "fleet-rounds", 3, "rounds in which all of them start, and in which all certificates rotate")
	flag.IntVar(&s.memoryNodes, "memory-nodes", 5000, "simulated nodes of the parts controller-memory and plugin")
	flag.IntVar(&s.memoryCertificates, "memory-certificates", 100, "certificates on each of them")
	flag.DurationVar(&s.quiet, "quiet", time.Minute, "length of the idle time in which there should be no request and no write")
	flag.Parse()
	s.parts = strings.Split(*chosen, ",")
	return s
}

func main() {
	ctrl.SetLogger(logr.Discard()) // first: controller-runtime prints a stack when it has none after 30 s, which builds take
	s := flags()
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
	t := &table{}
	for _, p := range parts {
		if !slices.Contains(s.parts, p.name) {
			continue
		}
		fmt.Printf("bench: %s, load average %s\n", p.name, load())
		if err := p.measure(ctx, s, t); err != nil {
			return 0, fmt.Errorf("measuring %s: %w", p.name, err)
		}
	}
	return t.print(), nil
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
