package watch

import (
	"context"
	"time"

	"github.com/vaultpane/vaultpane/test/eventgrid"
)

// pushLimit is within which a renewal should be on all nodes.
const pushLimit = 10 * time.Second

// pushing measures with the version watch at its real interval, and events of the vault that have it look at once.
func (s *site) pushing(ctx context.Context) error {
	grid, err := eventgrid.Start(eventgrid.Options{Vaults: s.vaults, Follow: true})
	if err != nil {
		return err
	}
	defer func() { _ = grid.Close() }() // it ends with this process anyway
	err = s.startController(ctx, realInterval, "VAULTPANE_EVENT_GRID_ENDPOINT="+grid.Endpoint(),
		"VAULTPANE_EVENT_GRID_TOPIC="+grid.Topic(), "VAULTPANE_EVENT_GRID_SUBSCRIPTION="+grid.Subscription())
	if err != nil {
		return err
	}
	if err := s.watched(ctx); err != nil {
		return err
	}
	for _, size := range s.renewed() {
		if err := s.timeRenewals(ctx, modePush, []int{size}, pushLimit); err != nil {
			return err
		}
	}
	return nil
}
