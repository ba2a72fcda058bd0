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
	// Bulk is how many certificates are renewed at once, on BulkNodes nodes.
	Bulk, BulkNodes int
	// Outage is how long the vault throttles.
	Outage time.Duration
}

// Full and Quick are the sizes of the bench.
var (
	Full  = Size{Nodes: 1000, Interval: time.Minute, Bulk: 50, BulkNodes: 20, Outage: 30 * time.Second}
	Quick = Size{Nodes: 100, Interval: 30 * time.Second, Bulk: 10, BulkNodes: 10, Outage: 10 * time.Second}
)

// counted are the numbers of nodes whose requests are counted: 1, 10, 100, …
func (s Size) counted() (sizes []int) {
	for size := 1; size <= s.Nodes; size *= 10 {
		sizes = append(sizes, size)
	}
	return sizes
}

// renewed are the numbers of nodes on which a renewal is timed: a quarter, a half, all.
func (s Size) renewed() []int { return []int{s.Nodes / 4, s.Nodes / 2, s.Nodes} }

func idleName(nodes int) string  { return fmt.Sprintf("idle-%d", nodes) }
func renewName(nodes int) string { return fmt.Sprintf("renew-%d", nodes) }
func bulkName(number int) string { return fmt.Sprintf("bulk-%02d", number) }

// idleTime is how long the API server's own use of the processor is measured.
const idleTime = 10 * time.Second

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
	return s.pushing(ctx)
}

// begin starts the fleet, and waits until every node has its certificates.
func (s *site) begin(ctx context.Context) (err error) {
	if err := pause(ctx, idleTime); err != nil { // the API server has work of its own after its start
		return err
	}
	if s.idle, err = s.usageOf(ctx, idleTime); err != nil {
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
	if err := s.renewBulk(ctx); err != nil {
		return err
	}
	return s.throttled(ctx, ownInterval)
}
