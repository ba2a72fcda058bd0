package watch

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// report adds the baselines' rows, after an hour in which nothing changed.
func (b *baselines) report(s *site) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failed != nil {
		return fmt.Errorf("the baselines: %w", b.failed)
	}
	for vault, name := range map[string]string{nodeVault: "each node polls", leaderVault: "one leader polls"} {
		stats, counts := s.vaults.Vault(vault).Stats(), []int(nil)
		for _, size := range s.counted() {
			counts = append(counts, stats.BySecret[strings.ToLower(idleName(size))])
		}
		s.Note(fmt.Sprintf("Key Vault requests an hour for one certificate on %s nodes, baseline: %s", list(s.counted()), name), list(counts))
		s.Curve(requestsPlot, "baseline: "+name, s.counted(), floats(counts)...)
	}
	return nil
}

// renew renews the secret that the leader polls.
func (b *baselines) renew(s *site) error {
	if _, err := s.vaults.Vault(leaderVault).Rotate(idleName(s.Nodes)); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.renewed, b.arrivals = time.Now(), nil
	return nil
}

// arrive waits until the renewed secret is in every node's Secret, and adds a row.
func (b *baselines) arrive(ctx context.Context, s *site) error {
	return until(ctx, "the leader's Secret is on all nodes", func(context.Context) (bool, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.failed != nil || len(b.arrivals) < s.Nodes {
			return false, b.failed
		}
		var took spread
		for _, at := range b.arrivals {
			took.times = append(took.times, at.Sub(b.renewed))
		}
		s.Note(fmt.Sprintf("renewal to the Secret's watch on %d nodes, nothing installed, baseline: one leader polls at the same interval: p50, p99, longest", s.Nodes), took.String())
		return true, nil
	})
}
