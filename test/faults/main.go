package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

// settings are the command's flags.
type settings struct {
	kills    int
	renewals int
	turns    int
	limit    time.Duration
	seed     uint64
	page     string
	only     string
}

// quick is what fits into two minutes.
func (s *settings) quick() { s.kills, s.renewals, s.turns = 60, 50, 5 }

func main() {
	ctrl.SetLogger(logr.Discard())
	s := settings{}
	flag.IntVar(&s.kills, "kills", 1000, "how many times a process is killed, at least")
	flag.IntVar(&s.renewals, "renewals", 1000, "how many renewals follow each other in the cluster at the end; a tenth elsewhere")
	flag.IntVar(&s.turns, "turns", 0, "how many faults come in turn at each site before the mixes; 0 for all")
	flag.DurationVar(&s.limit, "limit", 25*time.Minute, "the longest that it may take")
	flag.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "of all choices that are made by chance; the moments of kills depend on the machine too")
	flag.StringVar(&s.page, "page", "", "page to write the table into, as in -page=docs/reliability.md; empty for none")
	flag.StringVar(&s.only, "only", "", "run only the sites whose name contains this")
	quick := flag.Bool("quick", false, "a part that takes two minutes: 60 kills, 50 renewals, five faults in turn at each site")
	flag.Parse()
	if *quick {
		s.quick()
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	if err := run(ctx, s); err != nil {
		fmt.Printf("faults: FAIL %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	fmt.Printf("faults: seed %d; make faults SEED=%d makes the same choices\n", s.seed, s.seed)
	start := time.Now()
	w := &world{settings: s, results: newResults(s.seed)}
	defer w.close()
	if err := w.prepare(ctx); err != nil {
		return fmt.Errorf("%w (logs in %s)", err, w.keep())
	}
	if err := w.run(ctx); err != nil {
		return fmt.Errorf("%w (logs in %s)", err, w.keep())
	}
	took := time.Since(start).Round(time.Second)
	fmt.Print(w.results.table())
	if s.page != "" {
		if err := w.results.writePage(s.page, took); err != nil {
			return err
		}
	}
	if violations := w.results.violations(); len(violations) > 0 {
		return fmt.Errorf("%d violations (logs in %s), the first is: %s", len(violations), w.keep(), violations[0])
	}
	fmt.Printf("faults: PASS %s, in %s\n", w.results.summary(), took)
	return nil
}
