package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/vaultpane/vaultpane/test/node"
)

// world is everything that runs.
type world struct {
	settings
	root, dir string
	kept      bool
	cluster   *cluster
	sites     []*site
	results   *results
}

// prepare builds the observer and starts the cluster, the sites and their agents.
func (w *world) prepare(ctx context.Context) error {
	var err error
	if w.root, err = os.Getwd(); err != nil {
		return fmt.Errorf("finding the repository: %w", err)
	}
	if w.dir, err = os.MkdirTemp("", "vaultpane-faults-"); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if w.cluster, err = startCluster(ctx, w.root, filepath.Join(w.dir, "cluster")); err != nil {
		return err
	}
	for number, kind := range []struct {
		name, short string
		kind        node.Kind
		front       func(*site) front
	}{
		{"cluster, directory store", "cd", node.Native, w.cluster.member},
		{"cluster, Windows under Wine", "cw", node.Wine, w.cluster.member},
		{"machine, directory store", "md", node.Native, newFiles},
		{"machine, Windows under Wine", "mw", node.Wine, newFiles},
	} {
		if !strings.Contains(kind.name, w.only) {
			continue
		}
		s := &site{
			name: kind.name, short: kind.short, root: w.root, dir: filepath.Join(w.dir, kind.short), results: w.results,
			random: rand.New(rand.NewPCG(w.seed, uint64(number))),
		}
		s.front = kind.front(s)
		w.sites = append(w.sites, s)
		if err := s.start(ctx, kind.kind); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// run lets every site go through its faults, all at the same time.
func (w *world) run(ctx context.Context) error {
	group, running := errgroup.WithContext(ctx)
	done := make(chan struct{})
	for _, one := range w.sites {
		group.Go(func() error {
			if err := one.run(running, w.settings); err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
			return nil
		})
	}
	go w.report(done)
	err := group.Wait()
	close(done)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		err = fmt.Errorf("it took longer than %s, with %d of %d kills: %w", w.limit, w.results.kills(), w.kills, err)
	}
	if err != nil {
		return err
	}
	return w.secrecy(ctx)
}

// report prints from time to time how far it is.
func (w *world) report(done <-chan struct{}) {
	start := time.Now()
	for {
		select {
		case <-done:
			return
		case <-time.After(30 * time.Second):
			fmt.Printf("faults: %d kills, %d rounds, %d violations so far (%s)\n",
				w.results.kills(), w.results.rounds(), len(w.results.violations()), time.Since(start).Round(time.Second))
		}
	}
}

// keep lets the folder of the logs stay, and returns it.
func (w *world) keep() string {
	w.kept = true
	return w.dir
}

func (w *world) close() {
	for _, one := range w.sites {
		one.close()
	}
	w.cluster.close()
	if !w.kept {
		_ = os.RemoveAll(w.dir) // a temporary folder
	}
}
