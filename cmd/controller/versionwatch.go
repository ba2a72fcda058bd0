package main

import (
	"context"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vaultpane/vaultpane/cmd/internal/azure"
	"github.com/vaultpane/vaultpane/controllers/rollup"
	"github.com/vaultpane/vaultpane/controllers/versionwatch"
	"github.com/vaultpane/vaultpane/internal/keyvault"
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
	vaults, err := newVaults(&o.watch.azure)
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

// newVaults returns the clients of all vaults, and counts their requests.
func newVaults(settings *azure.Options) (*keyvault.Clients, error) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "vaultpane_version_watch_requests_total", Help: "HTTP responses of Key Vault and of the token service to the version watch, by status code; error where there was none.",
	}, []string{"code"})
	if err := metrics.Registry.Register(requests); err != nil {
		return nil, fmt.Errorf("registering metrics: %w", err)
	}
	return settings.NewVaults(listWorkers, func(code string, _ time.Duration) { requests.WithLabelValues(code).Inc() })
}
