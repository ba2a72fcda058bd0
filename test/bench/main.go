// Command bench measures the agent as a process of its own against a real control plane and a Key Vault over TLS, and
// prints a table: what was measured, the goal, and whether it holds. Speed is a ratio to a bare loop in the same run.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/vaultpane/vaultpane/test/node"
)

// scale is how much is measured.
type scale struct {
	certificates, wineCertificates, rounds, wineRounds, storeRounds int
	quiet                                                           time.Duration
}

func main() {
	var s scale
	flag.IntVar(&s.certificates, "certificates", 1000, "certificates of a cold sync on the directory store")
	flag.IntVar(&s.wineCertificates, "wine-certificates", 1000, "the same under Wine; 0 leaves Wine out")
	flag.IntVar(&s.rounds, "rounds", 5, "rounds of agent and bare loop, alternating")
	flag.IntVar(&s.wineRounds, "wine-rounds", 1, "the same under Wine, where one of 1,000 certificates takes about 9 minutes")
	flag.IntVar(&s.storeRounds, "store-rounds", 1000, "rounds of installing, replacing and removing on Windows' store under Wine, about 0.1 s each; 0 leaves them out")
	flag.DurationVar(&s.quiet, "quiet", time.Minute, "length of the quiet time in which nothing should be asked or written")
	flag.Parse()
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
	b, err := newBench(ctx)
	defer b.close()
	if err != nil {
		return 0, err
	}
	if err := b.measure(ctx, s); err != nil {
		return 0, err
	}
	return b.print(), nil
}

func (b *bench) measure(ctx context.Context, s scale) error {
	if err := b.memoryAndQuiet(ctx, s.quiet); err != nil {
		return err
	}
	if err := b.coldSync(ctx, node.Native, s.certificates, s.rounds); err != nil {
		return err
	}
	if s.wineCertificates > 0 {
		if err := b.coldSync(ctx, node.Wine, s.wineCertificates, s.wineRounds); err != nil {
			return err
		}
	}
	if s.storeRounds > 0 {
		return b.storeRounds(ctx, s.storeRounds)
	}
	return nil
}

// row is one line of the table.
type row struct{ what, measured, goal, verdict string }

func (b *bench) add(what, measured, goal string, holds bool) {
	verdict := "yes"
	if !holds {
		verdict = "NO"
	}
	b.rows = append(b.rows, row{what, measured, goal, verdict})
	fmt.Printf("bench: %s: %s (goal %s: %s)\n", what, measured, goal, verdict)
}

// print prints the table and returns how many goals were missed.
func (b *bench) print() (missed int) {
	fmt.Printf("\n| what | measured | goal | reached |\n|---|---|---|---|\n")
	for _, r := range b.rows {
		fmt.Printf("| %s | %s | %s | %s |\n", r.what, r.measured, r.goal, r.verdict)
		if r.verdict != "yes" {
			missed++
		}
	}
	fmt.Println()
	return missed
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}
