package main

import (
	"context"
	"fmt"
	"time"
)

// startAll starts all nodes together, a few times.
func (s *site) startAll(ctx context.Context, size scale) error {
	what := fmt.Sprintf("%d nodes × %d certificates start", size.nodes, len(s.versions))
	fmt.Printf("bench: %s, %d rounds\n", what, size.fleetRounds)
	var right, untainted []float64
	for round := range size.fleetRounds {
		if round > 0 {
			if err := s.leave(ctx); err != nil {
				return err
			}
		}
		status, taint, err := s.startAllOnce(ctx, size.nodes)
		if err != nil {
			return err
		}
		right, untainted = append(right, status.Seconds()), append(untainted, taint.Seconds())
	}
	s.Note(what+": last report to all statuses right, median", seconds(right))
	s.Add(what+": last report to the last startup taint gone, median", seconds(untainted), "≤ 2 s", median(untainted) <= 2)
	s.watchEvents(what)
	return nil
}

// startAllOnce returns how long after the last report all statuses were right, and the last taint was gone.
func (s *site) startAllOnce(ctx context.Context, nodes int) (status, taint time.Duration, err error) {
	if err := s.fleet.Join(ctx, nodes); err != nil {
		return 0, 0, err
	}
	if err := s.fleet.Alive(ctx, waitLimit); err != nil {
		return 0, 0, err
	}
	s.statuses.Forget()
	start := time.Now()
	counted, err := s.controller.Metric(ctx, succeeded)
	if err != nil {
		return 0, 0, err
	}
	cpu, err := s.controller.ProcessorTime()
	if err != nil {
		return 0, 0, err
	}
	reported, err := s.fleet.Report(ctx, s.installed())
	if err != nil {
		return 0, 0, err
	}
	gone, err := s.taints.Gone(ctx, waitLimit)
	if err != nil {
		return 0, 0, err
	}
	right, err := s.allReady(ctx)
	if err != nil {
		return 0, 0, err
	}
	after, err := s.controller.Metric(ctx, succeeded)
	if err != nil {
		return 0, 0, err
	}
	cpuAfter, err := s.controller.ProcessorTime()
	if err != nil {
		return 0, 0, err
	}
	fmt.Printf("bench: reported in %.1f s; statuses right %.1f s later, taints gone %.2f s later; %d status writes seen, %.0f counted by the controller; %.1f s of processor time; load average %s\n",
		reported.Sub(start).Seconds(), right.Sub(reported).Seconds(), gone.Sub(reported).Seconds(), len(s.statuses.Writes()), after-counted, (cpuAfter - cpu).Seconds(), load())
	return right.Sub(reported), gone.Sub(reported), nil
}
