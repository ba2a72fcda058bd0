package watch

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/test/bench/result"
)

// Size is how much is measured.
type Size struct {
	// Nodes are the nodes of the fleet.
	Nodes int
	// Interval is the nodes' polling interval, which stands for an hour. Requests are counted for as long.
	Interval time.Duration
	// Parts are the parts of the fleet on which renewals are timed: 4 for a quarter, 1 for all.
	Parts []int
	// Bulk is how many certificates are renewed at once, on BulkNodes nodes; 0 for none.
	Bulk, BulkNodes int
	// Outage is how long the vault throttles; 0 for not at all.
	Outage time.Duration
	// Idle is how long the API server's own use of the processor is measured.
	Idle time.Duration
	// Slow has renewals timed with polling too, which takes an interval.
	Slow bool
}

// Full and Quick are the sizes of the bench.
var (
	Full  = Size{Nodes: 1000, Interval: time.Minute, Parts: []int{4, 2, 1}, Bulk: 50, BulkNodes: 20, Outage: 30 * time.Second, Idle: 10 * time.Second, Slow: true}
	Quick = Size{Nodes: 100, Interval: 30 * time.Second, Parts: []int{1}, Idle: 3 * time.Second}
)

// counted are the numbers of nodes whose requests are counted: 1, 10, 100, …
func (s Size) counted() (sizes []int) {
	for size := 1; size <= s.Nodes; size *= 10 {
		sizes = append(sizes, size)
	}
	return sizes
}

// renewed are the numbers of nodes on which a renewal is timed.
func (s Size) renewed() (sizes []int) {
	for _, part := range s.Parts {
		sizes = append(sizes, s.Nodes/part)
	}
	return sizes
}

func idleName(nodes int) string  { return fmt.Sprintf("idle-%d", nodes) }
func renewName(nodes int) string { return fmt.Sprintf("renew-%d", nodes) }
func bulkName(number int) string { return fmt.Sprintf("bulk-%02d", number) }

// Measure measures everything.
func Measure(ctx context.Context, t *result.Table, size Size) error {
	defer debug.SetGCPercent(debug.SetGCPercent(300)) // memory for processor time, which a thousand agents need more of
	s, err := newSite(ctx, t, size)
	defer s.close()
	if err != nil {
		return err
	}
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.polling(ctx); err != nil {
		return err
	}
	if err := s.watching(ctx); err != nil {
		return err
	}
	if err := s.pushing(ctx); err != nil {
		return err
	}
	s.growth()
	return nil
}

// begin starts the fleet, and waits until every node has its certificates.
func (s *site) begin(ctx context.Context) (err error) {
	if err := pause(ctx, s.Idle); err != nil { // the API server has work of its own after its start
		return err
	}
	if s.idle, err = s.usageOf(ctx, s.Idle); err != nil {
		return err
	}
	for _, size := range s.counted() {
		if err := s.observe(ctx, size, idleName(size)); err != nil {
			return err
		}
	}
	for _, size := range s.renewed() {
		if err := s.observe(ctx, size, renewName(size)); err != nil {
			return err
		}
	}
	for number := range s.Bulk {
		if err := s.observe(ctx, s.BulkNodes, bulkName(number)); err != nil {
			return err
		}
	}
	s.say("%d agents start", s.Nodes)
	start := time.Now()
	if err := s.agents.Join(ctx, s.Nodes, append(s.counted(), slices.Concat(s.renewed(), []int{s.BulkNodes})...)); err != nil {
		return err
	}
	if err := s.allInstalled(ctx); err != nil {
		return err
	}
	s.say("%d agents have their certificates after %.0f s", s.Nodes, time.Since(start).Seconds())
	// Only now: all agents together decode every status write, which one machine does not do beside their first installations.
	if err := s.startController(ctx, 0); err != nil {
		return err
	}
	if err := s.allReady(ctx); err != nil {
		return err
	}
	return pause(ctx, 2*time.Second) // the last reports are written
}

// polling measures without the version watch, and the baselines beside it.
func (s *site) polling(ctx context.Context) error {
	baseline, err := s.startBaselines(ctx)
	if err != nil {
		return err
	}
	defer baseline.stop()
	if err := s.countHour(ctx, modePolling); err != nil {
		return err
	}
	if err := baseline.report(s); err != nil {
		return err
	}
	if !s.Slow {
		return nil
	}
	if err := baseline.renew(s); err != nil {
		return err
	}
	if err := s.timeRenewals(ctx, modePolling, s.renewed(), s.Interval+10*time.Second); err != nil {
		return err
	}
	return baseline.arrive(ctx, s)
}

// watching measures with the version watch.
func (s *site) watching(ctx context.Context) error {
	if err := s.startController(ctx, watchInterval); err != nil {
		return err
	}
	if err := s.watched(ctx); err != nil {
		return err
	}
	if err := s.countHour(ctx, modeWatch); err != nil {
		return err
	}
	const ownInterval = 10 * time.Second // not compressed, since it is a part of what is measured
	if err := s.startController(ctx, ownInterval); err != nil {
		return err
	}
	if err := s.watched(ctx); err != nil {
		return err
	}
	for _, size := range s.renewed() {
		if err := s.timeRenewals(ctx, modeWatch, []int{size}, ownInterval+10*time.Second); err != nil {
			return err
		}
	}
	if s.Bulk > 0 {
		if err := s.renewBulk(ctx); err != nil {
			return err
		}
	}
	if s.Outage > 0 {
		return s.throttled(ctx)
	}
	return nil
}
