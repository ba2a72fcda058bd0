package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/cmd/internal/azure"
	"github.com/vaultpane/vaultpane/controllers/rollup"
	"github.com/vaultpane/vaultpane/controllers/versionwatch"
)

// listWorkers is how many secrets are listed at the same time.
const listWorkers = 10

// watchOptions are the settings of the version watch.
type watchOptions struct {
	enabled  bool
	interval time.Duration
	azure    azure.Options
}

func (w *watchOptions) addTo(flags *pflag.FlagSet) {
	flags.BoolVar(&w.enabled, "version-watch", false, "list the versions of each observed secret once for the whole cluster, so that nodes fetch new versions within seconds and do not poll; needs an Azure identity with the role Key Vault Reader")
	flags.DurationVar(&w.interval, "version-watch-interval", time.Minute, "time between two lists of a secret whose certificates name no versionWatchIntervalInS")
	w.azure.AddTo(flags)
}

func (w *watchOptions) validate() error {
	if w.interval < time.Second || w.interval > 24*time.Hour {
		return fmt.Errorf("--version-watch-interval is %s, must be 1s to 24h", w.interval)
	}
	return w.azure.Check()
}

// addVersionWatch adds the version watch to the manager, and has the roll-up publish what it finds. It does nothing where the watch
// is off.
func addVersionWatch(ctx context.Context, mgr ctrl.Manager, roll *rollup.Rollup, o options) (*versionwatch.Watch, error) {
	if !o.watch.enabled {
		return nil, nil //nolint:nilnil // off is a valid setting
	}
	count, err := versionwatch.CountRequests(nil)
	if err != nil {
		return nil, err
	}
	vaults, err := o.watch.azure.NewVaults(listWorkers, count)
	if err != nil {
		return nil, err
	}
	watch := &versionwatch.Watch{
		Client: mgr.GetClient(), Vaults: vaults, Changed: roll.Refresh, Now: time.Now,
		Options: versionwatch.Options{Namespace: o.namespace, Interval: o.watch.interval, Workers: listWorkers},
	}
	roll.Versions = watch
	if err := watch.SetupWithManager(ctx, mgr); err != nil {
		return nil, err
	}
	return watch, nil
}
