package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	ctrl.SetLogger(logr.Discard())
	kills := flag.Int("kills", 100, "how many times the agent is killed")
	limit := flag.Duration("limit", 45*time.Minute, "the longest that it may take")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the choices that are made by chance")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *limit)
	defer cancel()
	if err := run(ctx, *kills, *seed); err != nil {
		fmt.Printf("faults: FAIL %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kills int, seed uint64) error {
	fmt.Printf("faults: %d kills, seed %d\n", kills, seed)
	start := time.Now()
	c, err := newCluster(ctx)
	defer c.close()
	if err != nil {
		return err
	}
	chance := rand.New(rand.NewPCG(seed, seed))
	if err := c.begin(ctx); err != nil {
		return err
	}
	watch := newObserver(c.machine.StorePath())
	watch.start(ctx)
	aimed := 0
	for number := range kills {
		if number > 0 && number%50 == 0 {
			fmt.Printf("faults: %d kills so far, %d of them in the middle of a write (%s)\n", number, aimed, time.Since(start).Round(time.Second))
		}
		if err := c.disturb(ctx, chance); err != nil {
			return err
		}
		if number%20 == 19 { // now and then it comes to an end of its work
			if err := c.settle(ctx); err != nil {
				return err
			}
		}
		if watch.awaitWrite(ctx, time.Duration(500+chance.IntN(2500))*time.Millisecond) {
			aimed++
		}
		if err := c.restart(); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("it took too long: %w", ctx.Err())
		}
	}
	if err := c.settle(ctx); err != nil {
		return err
	}
	found := watch.end()
	left, err := c.leftovers(ctx)
	if err != nil {
		return err
	}
	found.print()
	if problems := found.count() + len(left); problems > 0 {
		return fmt.Errorf("%d problems; left over are %v", problems, left)
	}
	fmt.Printf("faults: PASS %d kills, %d of them in the middle of a write, %d looks, nothing missing, nothing left over, in %s\n",
		kills, aimed, found.looks, time.Since(start).Round(time.Second))
	return nil
}
