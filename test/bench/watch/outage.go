package watch

import (
	"context"
	"fmt"
	"time"
)

// throttled has the vault refuse every request for a while, in which a certificate is renewed, and times what follows.
func (s *site) throttled(ctx context.Context) error {
	s.say("the vault throttles for %s", s.Outage)
	s.vault().ResetStats()
	s.vault().Throttle(0, false, -1)
	one, err := s.renew(renewName(s.Nodes))
	if err != nil {
		return err
	}
	if err := pause(ctx, s.Outage); err != nil {
		return err
	}
	refused := s.vault().Stats().ByCode[429]
	s.vault().Heal()
	s.vault().ResetStats()
	healed := time.Now()
	counting, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan int, 1)
	go func() { done <- s.busiest(counting) }()
	arrived, err := s.arrive(ctx, one, s.Nodes)
	if err != nil {
		return err
	}
	outage := fmt.Sprintf("the vault throttles for %.0f s, a renewal meanwhile, %d nodes, %s", s.Outage.Seconds(), s.Nodes, modeWatch)
	longest := arrived.at(1) - healed.Sub(one.at)
	s.AtMost(outage+": recovery to installed on all", fmt.Sprintf("%.1f s", longest.Seconds()), fmt.Sprintf("≤ a polling interval, %.0f s", s.Interval.Seconds()), longest.Seconds(), s.Interval.Seconds())
	s.Note("requests that were refused meanwhile", fmt.Sprint(refused))
	if err := pause(ctx, 5*time.Second); err != nil { // for a second wave
		return err
	}
	stop()
	peak := <-done
	s.AtMost("most requests in a second after that", fmt.Sprint(peak), "≤ 400, the vault's limit", float64(peak), 400)
	return nil
}

// busiest returns the most requests in a second until the context ends.
func (s *site) busiest(ctx context.Context) (most int) {
	for before := 0; pause(ctx, time.Second) == nil; {
		now := s.vault().Stats().Requests
		most, before = max(most, now-before), now
	}
	return most
}
