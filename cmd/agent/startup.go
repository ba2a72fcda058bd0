//go:build !standalone

package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/agent/internal/stores"
	"github.com/vaultpane/vaultpane/controllers/agent"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/machinelock"
)

// Waits between two attempts to reach the API server.
const (
	firstWait = 500 * time.Millisecond
	lastWait  = 10 * time.Second
)

// startup starts the agent step by step, while probes and metrics already respond: it waits for the lock of the machine, for the
// API server, for its Node and for the CRDs, and then adds the reconciler.
type startup struct {
	mgr      ctrl.Manager
	address  string
	settings options
	stores   stores.Opened
	vaults   *keyvault.Clients
	metrics  *engine.Metrics

	mu      sync.Mutex
	missing error // what the agent waits for, nil when it is ready
}

// newStartup opens what depends on the settings alone, so that a wrong setting ends the agent at once.
func newStartup(mgr ctrl.Manager, address string, o options) (*startup, error) {
	opened, err := o.Store.Open()
	if err != nil {
		return nil, err
	}
	counted := engine.NewMetrics(metrics.Registry, o.Version)
	vaults, err := o.Azure.NewVaults(o.Workers, counted.KeyVaultRequest)
	if err != nil {
		return nil, err
	}
	return &startup{
		mgr: mgr, address: address, settings: o, stores: opened, vaults: vaults, metrics: counted,
		missing: errors.New("waiting for the lock of this machine"),
	}, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: agents elect no leader.
func (s *startup) NeedLeaderElection() bool { return false }

// Start implements manager.Runnable.
func (s *startup) Start(ctx context.Context) error {
	ctx = ctrl.LoggerInto(ctx, ctrl.Log)
	if err := machinelock.Acquire(ctx, s.settings.Store.Path); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopping
		}
		return fmt.Errorf("locking this machine: %w", err)
	}
	wait := firstWait
	for {
		err := s.begin(ctx)
		if err == nil || ctx.Err() != nil {
			s.note(ctx, nil)
			return nil //nolint:nilerr // ready, or stopping
		}
		s.note(ctx, err)
		select {
		case <-time.After(wait):
			wait = min(2*wait, lastWait)
		case <-ctx.Done():
			return nil
		}
	}
}

// note records what the agent waits for, and logs it once.
func (s *startup) note(ctx context.Context, missing error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := ctrl.LoggerFrom(ctx)
	switch {
	case missing == nil:
		log.Info("Agent ready", "apiServer", s.address)
	case s.missing == nil || s.missing.Error() != missing.Error():
		log.Info("Waiting", "for", missing.Error(), "apiServer", s.address)
	}
	s.missing = missing
}

// waitingFor returns what the agent waits for, nil when it is ready.
func (s *startup) waitingFor() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.missing
}

// begin reads what the agent needs from the API server, and adds the reconciler, the reporter and the Lease to the manager. It can
// be called until it succeeds.
func (s *startup) begin(ctx context.Context) error {
	kube := s.mgr.GetClient()
	node, err := s.reach(ctx)
	if err != nil {
		return err
	}
	reporter := &report.Reporter{Client: kube, Node: node.Name, NodeUID: node.UID, AgentVersion: s.settings.Version, Now: time.Now}
	previous, err := reporter.Load(ctx)
	if err != nil {
		return s.describe(err)
	}
	lease := &report.Lease{
		Client: kube, Namespace: s.settings.Namespace, Node: node.Name, NodeUID: node.UID, Now: time.Now,
		Renewed: func(ctx context.Context) {
			if err := reporter.Check(ctx); err != nil { // compared again at the next renewal
				ctrl.LoggerFrom(ctx).Error(err, "Cannot compare the node's state with what was written")
			}
		},
		Unwritten: reporter.Unwritten,
	}
	lastAlive, err := lease.LastRenewal(ctx)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot read the Lease, so missed polls are unknown")
	}
	selection := agent.Selection{Client: kube, Node: node.Name}
	publications := &agent.Publications{Selection: selection, Leases: s.mgr.GetCache(), Now: time.Now}
	configMaps, err := agent.NewConfigMaps(s.mgr, s.settings.Namespace)
	if err != nil {
		return err
	}
	configMaps.Spread = s.settings.InitialSpread
	certificates := &engine.Engine{
		ConfigMaps: configMaps, Certificates: selection, Publications: publications, Reports: reporter,
		Store: s.stores.Store, Machine: s.stores.Machine, Programs: s.stores.Programs, Secrets: s.vaults, Metrics: s.metrics, Now: time.Now,
		Options: engine.Options{
			MachineName: node.Name, AllowedServices: s.settings.AllowedServices, InitialSpread: s.settings.InitialSpread, LastAlive: lastAlive, Previous: previous,
			Started: time.Now(), // not when it began to wait: agents that waited for the same API server start together
		},
	}
	lease.Overdue = certificates.OldestDue
	options := agent.Options{
		Workers: s.settings.Workers, StoreCheckInterval: s.settings.StoreCheckInterval,
		NodeRecreated: func(uid types.UID) {
			reporter.Adopt(uid)
			lease.Adopt(uid)
		},
	}
	reconciler := agent.New(options, selection, certificates, reporter, s.mgr.GetEventRecorder("vaultpane-agent"))
	reconciler.Publications, reconciler.ConfigMaps = publications, configMaps
	return s.add(reconciler, reporter, lease)
}

// reach returns the Node, once the API server responds and has the CRDs. From then on, the cache lists what the reconciler needs,
// while the rest is read.
func (s *startup) reach(ctx context.Context) (*corev1.Node, error) {
	node := &corev1.Node{}
	if err := s.mgr.GetAPIReader().Get(ctx, types.NamespacedName{Name: s.settings.Node}, node); err != nil {
		return nil, s.describe(err)
	}
	if err := s.mgr.GetAPIReader().List(ctx, &v1alpha1.ObservedCertificateList{}, client.Limit(1)); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, errors.New("the CustomResourceDefinitions of Vaultpane, which are not installed in this cluster")
		}
		return nil, s.describe(err)
	}
	for _, kind := range []client.Object{&v1alpha1.ObservedCertificate{}, &corev1.Node{}} {
		if _, err := s.mgr.GetCache().GetInformer(ctx, kind, cache.BlockUntilSynced(false)); err != nil {
			return nil, s.describe(err)
		}
	}
	return node, nil
}

func (s *startup) add(reconciler *agent.Reconciler, reporter *report.Reporter, lease *report.Lease) error {
	if err := reconciler.SetupWithManager(s.mgr); err != nil {
		return err
	}
	if err := metrics.Registry.Register(reconciler); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	if err := s.mgr.Add(reporter); err != nil {
		return fmt.Errorf("adding the reporter: %w", err)
	}
	if err := s.mgr.Add(lease); err != nil {
		return fmt.Errorf("adding the Lease: %w", err)
	}
	return nil
}

// describe says what the agent waits for.
func (s *startup) describe(err error) error {
	switch {
	case apierrors.IsNotFound(err):
		return fmt.Errorf("the Node %q, which does not exist (--node-name)", s.settings.Node)
	case apierrors.IsForbidden(err), apierrors.IsUnauthorized(err):
		return fmt.Errorf("rights in the cluster: %w", err)
	}
	return fmt.Errorf("the API server at %s: %w", s.address, err)
}
