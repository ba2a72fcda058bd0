package watch

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Ways to learn of a renewal.
const (
	modePolling = "polling"
	modeWatch   = "version watch"
	modePush    = "push"
)

// spread is how long nodes took to have a renewed certificate in their stores.
type spread struct{ times []time.Duration }

// at returns the time within which a share of the nodes had it.
func (s spread) at(share float64) time.Duration {
	sorted := slices.Sorted(slices.Values(s.times))
	return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))]
}

func (s spread) String() string {
	return fmt.Sprintf("%.1f s, %.1f s, %.1f s", s.at(0.5).Seconds(), s.at(0.99).Seconds(), s.at(1).Seconds())
}

// timeRenewals renews the certificates for some numbers of nodes at once, and times how they arrive. learn is how long a fleet may
// take to learn of it.
func (s *site) timeRenewals(ctx context.Context, mode string, sizes []int, learn time.Duration) error {
	before, err := s.usage()
	if err != nil {
		return err
	}
	renewed := map[int]renewal{}
	for _, size := range sizes {
		if renewed[size], err = s.renew(renewName(size)); err != nil {
			return err
		}
	}
	for _, size := range sizes {
		arrived, err := s.arrive(ctx, renewed[size], size)
		if err != nil {
			return err
		}
		s.AtMost(fmt.Sprintf("renewal to installed on %d nodes, %s: p50, p99, longest", size, mode), arrived.String(),
			fmt.Sprintf("p99 ≤ %.0f s", learn.Seconds()), arrived.at(0.99).Seconds(), learn.Seconds())
		s.Curve(timesPlot, mode, []int{size}, arrived.at(0.99).Seconds())
	}
	if len(sizes) > 1 {
		return nil
	}
	if err := pause(ctx, 4*time.Second); err != nil { // reports are collected for a second, statuses for two
		return err
	}
	after, err := s.usage()
	if err != nil {
		return err
	}
	s.cost(fmt.Sprintf("one renewal on %d nodes, %s", sizes[0], mode), after.since(before), sizes[0], 1)
	return nil
}

// cost adds rows for what a renewal has cost at the API server.
func (s *site) cost(what string, added usage, nodes, renewals int) {
	reports, statuses := added.writes[states], added.writes[certificates]
	goal := nodes * renewals // renewals that come together share reports
	s.AtMost("API writes for "+what, fmt.Sprintf("%d node states, %d statuses", reports, statuses),
		fmt.Sprintf("≤ %d node states", goal), float64(reports), float64(goal))
	s.Note("watch events for the same", fmt.Sprintf("%d to agents (%d statuses × %d nodes), %d of node states to the controller",
		added.events[certificates], statuses, s.Nodes, added.events[states]))
	s.Note("the same at 5,000 nodes (node states × 5,000 / nodes; statuses × 5,000)",
		fmt.Sprintf("%d API writes, %d watch events", reports*5000/nodes+statuses, statuses*5000+reports*5000/nodes))
}

// renewal is a new version of a certificate.
type renewal struct {
	name, version string
	at            time.Time
}

func (s *site) renew(name string) (renewal, error) {
	made, err := s.vault().Rotate(name)
	return renewal{name, made.Version, time.Now()}, err
}

// arrive waits until a renewal is on all its nodes.
func (s *site) arrive(ctx context.Context, one renewal, nodes int) (spread, error) {
	deadline := time.Now().Add(5 * time.Minute)
	for {
		times, err := s.agents.Arrived(one.name, one.version)
		if err != nil {
			return spread{}, err
		}
		if len(times) == nodes {
			var took spread
			for _, at := range times {
				took.times = append(took.times, at.Sub(one.at))
			}
			return took, nil
		}
		if time.Now().After(deadline) {
			return spread{}, fmt.Errorf("%s is on %d of %d nodes after 5 minutes", one.name, len(times), nodes)
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return spread{}, err
		}
	}
}

// renewBulk renews many certificates at once.
func (s *site) renewBulk(ctx context.Context) error {
	s.say("%d renewals at once on %d nodes", s.Bulk, s.BulkNodes)
	before, err := s.usage()
	if err != nil {
		return err
	}
	var renewed []renewal
	for number := range s.Bulk {
		one, err := s.renew(bulkName(number))
		if err != nil {
			return err
		}
		renewed = append(renewed, one)
	}
	last, all := renewed[len(renewed)-1].at, spread{}
	for _, one := range renewed {
		arrived, err := s.arrive(ctx, one, s.BulkNodes)
		if err != nil {
			return err
		}
		for _, took := range arrived.times {
			all.times = append(all.times, took-last.Sub(one.at)) // from the last renewal on
		}
	}
	if err := pause(ctx, 4*time.Second); err != nil {
		return err
	}
	after, err := s.usage()
	if err != nil {
		return err
	}
	what := fmt.Sprintf("%d renewals at once on %d nodes, %s", s.Bulk, s.BulkNodes, modeWatch)
	s.Note("time from the last of "+what+": p50, p99, longest", all.String())
	s.cost(what, after.since(before), s.BulkNodes, s.Bulk)
	return nil
}
