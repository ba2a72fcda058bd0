package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/test/fleet"
)

// measureController measures the controller with a fleet whose nodes kwok keeps alive.
func measureController(ctx context.Context, size scale, t *table) error {
	fmt.Println("bench: building kwok; the first time takes a minute or two")
	s, err := newSite(ctx, t, size.nodeCertificates)
	defer s.close()
	if err != nil {
		return err
	}
	executable, err := fleet.BuildKwok(ctx, s.root)
	if err != nil {
		return err
	}
	if s.kwok, err = fleet.StartKwok(s.plane, executable, s.dir); err != nil {
		return err
	}
	if err := s.startController(ctx); err != nil {
		return err
	}
	for _, measure := range []func(context.Context, scale) error{s.scaleOut, s.startAll, s.rotateOne, s.rotateAll, s.quiet, s.resources} {
		if err := measure(ctx, size); err != nil {
			return err
		}
	}
	return nil
}

// scaleOut has a few nodes come and go: 10, then 30, then 20 of them.
func (s *site) scaleOut(ctx context.Context, _ scale) error {
	fmt.Println("bench: 10 nodes, 30 nodes, 20 nodes")
	for _, step := range []struct{ join, leave int }{{join: 10}, {join: 20}, {leave: 10}} {
		if err := s.fleet.Join(ctx, step.join); err != nil {
			return err
		}
		if err := s.fleet.Leave(ctx, step.leave); err != nil {
			return err
		}
		if err := s.fleet.Alive(ctx, waitLimit); err != nil {
			return err
		}
		if _, err := s.fleet.Report(ctx, s.installed()); err != nil {
			return err
		}
		if _, err := s.allReady(ctx); err != nil {
			return err
		}
		if _, err := s.taints.Gone(ctx, waitLimit); err != nil {
			return err
		}
	}
	s.Add("status, taints and node states after 10, 30 and 20 nodes", "right", "right", true)
	return s.leave(ctx)
}

// leave removes all nodes, and waits until the statuses and the node states follow.
func (s *site) leave(ctx context.Context) error {
	if err := s.fleet.Leave(ctx, s.fleet.Size()); err != nil {
		return err
	}
	if err := s.fleet.Gone(ctx, waitLimit); err != nil {
		return err
	}
	_, err := s.statuses.Until(ctx, len(s.versions), waitLimit, fleet.Unselected)
	return err
}

// succeeded is the controller's own count of status writes.
const succeeded = `vaultpane_status_writes_total{result="succeeded"}`

// watchEvents adds what the status writes since the last Forget cost: each is an event in every agent's watch. A bucket that
// holds a second's worth lets 11 seconds' worth pass in 10.
func (s *site) watchEvents(what string) {
	writes := s.statuses.Writes()
	if len(writes) == 0 {
		return
	}
	nodes := s.fleet.Size()
	length := writes[len(writes)-1].Sub(writes[0])
	s.Note(what+": status writes", fmt.Sprintf("%d in %.1f s", len(writes), length.Seconds()))
	sustained := fleet.Busiest(writes, 10*time.Second) * nodes / 10
	s.Add(what+": watch events a second for status, in the busiest 10 s", thousands(sustained), "≤ 5,000, and as many once", sustained <= 5500)
	s.Note(what+": the same, in the busiest second", thousands(fleet.Busiest(writes, time.Second)*nodes))
}

// rotateOne has one certificate rotate on all nodes.
func (s *site) rotateOne(ctx context.Context, size scale) error {
	what := fmt.Sprintf("one certificate rotates on %d nodes", size.nodes)
	fmt.Println("bench:", what)
	start := time.Now()
	late, err := s.rotate(ctx, 1)
	if err != nil {
		return err
	}
	writes, length := len(s.statuses.Writes()), time.Since(start)
	most := int(length/(2*time.Second)) + 1
	s.Note(what+": last report to the status right", fmt.Sprintf("%.1f s", late.Seconds()))
	s.Add(fmt.Sprintf("%s: status writes in %.0f s", what, length.Seconds()), fmt.Sprint(writes), fmt.Sprintf("≤ %d, one in 2 s", most), writes <= most)
	if closest, ok := s.statuses.Closest(); ok {
		s.Note(what+": least time between two of them", fmt.Sprintf("%.2f s", closest.Seconds()))
	}
	return nil
}

// rotateAll has all certificates rotate at once, a few times.
func (s *site) rotateAll(ctx context.Context, size scale) error {
	what := fmt.Sprintf("all %d certificates rotate on %d nodes", len(s.versions), size.nodes)
	fmt.Printf("bench: %s, %d rounds\n", what, size.fleetRounds)
	var late []float64
	for range size.fleetRounds {
		took, err := s.rotate(ctx, len(s.versions))
		if err != nil {
			return err
		}
		late = append(late, took.Seconds())
	}
	s.Note(what+": last report to all statuses right, median", seconds(late))
	s.watchEvents(what)
	return nil
}
