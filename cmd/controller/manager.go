package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/controllers/rollup"
	"github.com/vaultpane/vaultpane/controllers/startuptaint"
	"github.com/vaultpane/vaultpane/internal/apiserver"
	"github.com/vaultpane/vaultpane/internal/scheme"
)

// leaderLease is the name of the Lease that names the leader.
const leaderLease = "vaultpane-controller"

// +kubebuilder:rbac:groups="",namespace=vaultpane-system,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,verbs=create
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,resourceNames=vaultpane-controller,verbs=update

// runManager runs the controller until the context ends.
func runManager(ctx context.Context, o options) error {
	ctrl.Log.Info("Starting", "version", version)
	kube, err := kubeConfig(o.kubeconfig)
	if err != nil {
		return err
	}
	mgr, err := newManager(kube, o)
	if err != nil {
		return fmt.Errorf("creating the manager: %w", err)
	}
	roll := &rollup.Rollup{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Events: mgr.GetEventRecorder("vaultpane-controller"), Now: time.Now,
		Options: rollup.Options{Namespace: o.namespace, Agents: o.agents, ExpiringSoon: o.expiringSoon, WatchEvents: o.watchEvents, Version: version},
	}
	watch, err := addVersionWatch(ctx, mgr, roll, o)
	if err != nil {
		return err
	}
	if o.eventGrid.enabled() {
		if err := addEventGrid(mgr, watch.Look, o); err != nil {
			return err
		}
	}
	if err := roll.SetupWithManager(mgr); err != nil {
		return err
	}
	taint := &startuptaint.Reconciler{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Events: mgr.GetEventRecorder("vaultpane-controller"),
		Namespace: o.namespace, RunsAgent: o.agents, Now: time.Now,
	}
	if err := taint.SetupWithManager(mgr); err != nil {
		return err
	}
	return mgr.Start(ctx)
}

func newManager(kube *rest.Config, o options) (ctrl.Manager, error) {
	types, err := scheme.New()
	if err != nil {
		return nil, err
	}
	mgr, err := ctrl.NewManager(kube, ctrl.Options{
		Scheme:                        types,
		MapperProvider:                func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return scheme.Mapper(), nil },
		Cache:                         rollup.CacheOptions(o.namespace),
		Metrics:                       metricsserver.Options{BindAddress: o.metricsAddress},
		HealthProbeBindAddress:        o.healthAddress,
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaderLease,
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionResourceLock:    "leases",
		LeaderElectionReleaseOnCancel: true, // so that another replica takes over at once
		Controller:                    config.Controller{CacheSyncTimeout: 10 * time.Minute},
	})
	if err != nil {
		return nil, err
	}
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return nil, err
	}
	return mgr, mgr.AddReadyzCheck("cache", func(request *http.Request) error { return synced(request, mgr) })
}

// synced reports whether the cache is complete. A controller that waits to lead is ready too.
func synced(request *http.Request, mgr ctrl.Manager) error {
	ctx, cancel := context.WithTimeout(request.Context(), time.Second)
	defer cancel()
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		return fmt.Errorf("the cache is not complete yet")
	}
	return nil
}

func kubeConfig(path string) (*rest.Config, error) {
	kube, err := apiserver.Config(path)
	if err != nil {
		return nil, err
	}
	kube.QPS = -1 // the API server's priority and fairness is the limit; a thousand nodes may start together
	return kube, nil
}

// removeStartupTaint removes the startup taint from all nodes.
func removeStartupTaint(ctx context.Context, o options) error {
	direct, err := directClient(o)
	if err != nil {
		return err
	}
	removed, err := startuptaint.RemoveAll(ctx, direct, ctrl.Log)
	ctrl.Log.Info("Removed the startup taint", "nodes", removed)
	return err
}

// directClient reads and writes without a cache. others are types in addition to those that the controller knows.
func directClient(o options, others ...func(*runtime.Scheme) error) (client.Client, error) {
	kube, err := kubeConfig(o.kubeconfig)
	if err != nil {
		return nil, err
	}
	types, err := scheme.New(others...)
	if err != nil {
		return nil, err
	}
	direct, err := client.New(kube, client.Options{Scheme: types})
	if err != nil {
		return nil, fmt.Errorf("creating a client: %w", err)
	}
	return direct, nil
}
