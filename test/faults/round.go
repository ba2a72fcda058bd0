package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// run goes through the faults in turn, then through mixes until there were enough kills, and then renews without any fault.
func (s *site) run(ctx context.Context, set settings) error {
	possible := applicable(s)
	s.random.Shuffle(len(possible), func(i, j int) { possible[i], possible[j] = possible[j], possible[i] })
	turns := len(possible)
	if set.turns > 0 {
		turns = min(turns, set.turns)
	}
	for _, one := range possible[:turns] {
		if err := s.round(ctx, one); err != nil {
			return err
		}
	}
	for s.results.kills() < s.killsBefore(set.kills) {
		s.random.Shuffle(len(possible), func(i, j int) { possible[i], possible[j] = possible[j], possible[i] })
		if err := s.round(ctx, slices.Clone(possible[:2+s.random.IntN(2)])...); err != nil {
			return err
		}
	}
	if err := s.renewals(ctx, set.renewals); err != nil {
		return err
	}
	report, err := s.watch.end(ctx)
	if err != nil {
		return err
	}
	s.results.observed(s.name, report)
	return s.keysLeftOver(ctx)
}

// killsBefore is how many kills there must have been at all sites before this one renews. The site that renews most begins earlier, while
// the others go on.
func (s *site) killsBefore(all int) int {
	if s.renewsMost() {
		return all * 6 / 10
	}
	return all
}

func (s *site) renewsMost() bool { return inCluster(s) && s.native() }

// settleLimit is how long everything may take to be as it should after a fault: one interval with its jitter of a tenth, and the time
// of a poll on a machine that has much else to do.
const settleLimit = (interval*11/10 + 24) * time.Second

// round breaks some things in their order, kills the agent meanwhile, mends all in the opposite order, and checks that everything
// becomes as it should.
func (s *site) round(ctx context.Context, faults ...fault) error {
	slices.SortFunc(faults, func(a, b fault) int { return a.place - b.place })
	names, empties, kills := []string{}, false, s.killsAmong(len(faults))
	begun, err := s.logged()
	if err != nil {
		return err
	}
	for _, one := range faults {
		if err := s.begin(ctx, one); err != nil {
			return err
		}
		names, empties, kills = append(names, one.name), empties || one.empties, max(kills, one.kills)
	}
	for range kills {
		if err := s.disturb(ctx); err != nil {
			return err
		}
		if err := s.kill(ctx); err != nil {
			return err
		}
	}
	started, err := s.logged()
	if err != nil {
		return err
	}
	noticed := s.notices(ctx, faults, begun, started)
	wait(ctx, time.Second) // the last agent meets the faults, and sees them mended
	for _, one := range slices.Backward(faults) {
		if one.end != nil {
			if err := one.end(ctx, s); err != nil {
				return fmt.Errorf("ending %q: %w", one.name, err)
			}
		}
	}
	mended := time.Now()
	wrong := s.settle(ctx, mended.Add(settleLimit))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	s.results.round(s.name, names, noticed, time.Since(mended))
	if wrong != "" {
		s.results.violation(s.name, names, "after the fault: "+wrong)
	}
	news, err := s.watch.news()
	for _, one := range news {
		if !empties || one.kind != kindMissing {
			s.results.violation(s.name, names, one.at.Format(time.StampMilli)+" "+one.text)
		}
	}
	return err
}

// killsAmong is how often the agent is killed in a round. Under Wine it takes seconds to start.
func (s *site) killsAmong(faults int) int {
	switch {
	case faults > 1 && s.native():
		return 14
	case faults > 1:
		return 4
	case s.native():
		return 2
	}
	return 1
}

func (s *site) begin(ctx context.Context, one fault) error {
	if one.begin == nil {
		return nil
	}
	if err := one.begin(ctx, s); err != nil {
		return fmt.Errorf("beginning %q: %w", one.name, err)
	}
	return nil
}

// noticeLimit is how long an agent that has just started may take to meet a fault. Under Wine it takes seconds to start.
const noticeLimit = 6 * time.Second

// notices waits until the agent has met the faults: until the one that runs now has logged about a certificate, and about one of the
// faults since the round began. It returns about which. Some stay unseen: beside others, or a disk to which nothing is written. Then
// the limit passes, as it does where the API server tells the agent of no certificate.
func (s *site) notices(ctx context.Context, faults []fault, begun, started int) []string {
	for limit := time.Now().Add(noticeLimit); ; wait(ctx, 100*time.Millisecond) {
		text, _ := os.ReadFile(s.agentLog()) // what cannot be read shows nothing
		var noticed []string
		silent := true
		for _, one := range faults {
			silent = silent && one.reason == ""
			if one.reason != "" && bytes.Contains(text[min(begun, len(text)):], []byte("reason="+one.reason+" ")) {
				noticed = append(noticed, one.name)
			}
		}
		works := bytes.Contains(text[min(started, len(text)):], []byte(" ObservedCertificate="))
		if works && (silent || noticed != nil) || ctx.Err() != nil || time.Now().After(limit) {
			return noticed
		}
	}
}

// logged is the length of the agent's log.
func (s *site) logged() (int, error) {
	info, err := os.Stat(s.agentLog())
	if err != nil {
		return 0, fmt.Errorf("measuring the agent's log: %w", err)
	}
	return int(info.Size()), nil
}

func (s *site) agentLog() string { return filepath.Join(s.dir, "agent.log") }

// quietUnderWine is how long the agent has for some store checks after the observer has ended: Wine writes a key container back that a
// program closes after it was deleted, so that a key which the observer signed with can come back for a moment.
const quietUnderWine = 10 * time.Second

// keysLeftOver checks under Wine, at the end since it ends Wine's server, that every key has its certificate.
func (s *site) keysLeftOver(ctx context.Context) error {
	if s.native() {
		return nil // settle looks after each fault
	}
	wait(ctx, quietUnderWine)
	all, err := s.watch.holds(ctx)
	if err != nil {
		return err
	}
	used := map[string]bool{}
	for _, one := range all {
		used[one.Thumbprint] = true
	}
	s.agent.Kill()
	keys, err := s.machine.Keys()
	if err != nil {
		return err
	}
	for _, one := range keys {
		if !used[one] {
			s.results.violation(s.name, []string{"in the end"}, "the key container of "+one+" is left over")
		}
	}
	return nil
}
