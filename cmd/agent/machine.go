package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/agent/internal/stores"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/machinelock"
	"github.com/vaultpane/vaultpane/internal/settings"
	"github.com/vaultpane/vaultpane/internal/standalone"
)

// runMachine keeps the certificates of one machine until it is asked to end.
func runMachine(arguments []string, stdout, stderr io.Writer) error {
	var o options
	if err := o.parseMachine(o.runCommand(), arguments, os.LookupEnv, stderr); err != nil {
		o.failService(err)
		return err
	}
	keep := untilSignal(o.keep)
	if o.service != "" {
		keep = o.keepAsService
	}
	// First: the host log is below it by default, and would create it with the access that it inherits. The state's writer reports
	// other failures.
	if err := standalone.MakeFolder(o.State); errors.Is(err, standalone.ErrForeignFolder) {
		o.failService(err)
		return err
	}
	return logged(o, stdout, new(options).runCommand().Variables(), keep)
}

func (o *options) keep(ctx context.Context, log logr.Logger) error {
	m, err := newMachine(*o, log, nil)
	if err != nil {
		return err
	}
	return m.run(ctx)
}

func (o *options) runCommand() cli.Command {
	o.hostLog.Folder = machineLogFolder()
	return o.machineCommand("run", runUsage, os.LookupEnv, o.addServiceTo)
}

// warner takes a warning about a certificate, or with an empty name about the settings files.
type warner = func(certificate string, warning failure.Failure)

// machine is an agent without a cluster, and what it works on.
type machine struct {
	options  options
	log      logr.Logger
	stores   stores.Opened
	vaults   *keyvault.Clients
	counted  *engine.Metrics
	registry *prometheus.Registry
	warn     warner

	mu    sync.Mutex
	agent *standalone.Agent // nil until the machine's lock is held
}

// newMachine opens what depends on the settings alone, so that a wrong setting ends the program at once. warn is called with each
// new warning, beside the log; nil for not called.
func newMachine(o options, log logr.Logger, warn warner) (*machine, error) {
	opened, err := o.Store.Open()
	if err != nil {
		return nil, err
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	counted := engine.NewMetrics(registry, o.Version)
	vaults, err := o.Azure.NewVaults(o.Workers, counted.KeyVaultRequest)
	if err != nil {
		return nil, err
	}
	return &machine{options: o, log: log, stores: opened, vaults: vaults, counted: counted, registry: registry, warn: warn}, nil
}

// run waits for the machine's lock, and then keeps its certificates until the context ends.
func (m *machine) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(logr.NewContext(ctx, m.log))
	defer stop()
	tellAccount(m.log)
	m.log.Info("Starting", "version", m.options.Version, "machine", m.options.Node, "settings", m.options.Settings)
	if err := m.serve(ctx); err != nil {
		return err
	}
	if err := machinelock.Acquire(ctx, m.options.Store.Path); err != nil {
		return nil // stopping
	}
	agent := m.newAgent()
	if err := m.registry.Register(agent); err != nil {
		return fmt.Errorf("registering metrics: %w", err)
	}
	m.mu.Lock()
	m.agent = agent
	m.mu.Unlock()
	agent.Run(ctx)
	return nil
}

// newAgent connects the agent's parts. It reads the state that the agent before it has left.
func (m *machine) newAgent() *standalone.Agent {
	o := m.options
	state := &standalone.State{Dir: o.State, Machine: o.Node, AgentVersion: o.Version, Now: time.Now}
	previous, lastAlive := state.Load(m.log)
	source := &standalone.Source{Labels: o.NodeLabels, Grace: leaveGrace, Now: time.Now}
	return &standalone.Agent{
		Files:  &standalone.Files{Paths: o.Settings, Previous: generationsOf(previous), Check: checkSelectors(o.NodeLabels)},
		Source: source, Requests: standalone.Requests{Dir: o.State}, State: state,
		Workers: o.Workers, StoreCheckInterval: o.StoreCheckInterval, Warn: m.warn,
		Engine: &engine.Engine{
			Certificates: source, Reports: state,
			Store: m.stores.Store, Machine: m.stores.Machine, Programs: m.stores.Programs, Secrets: m.vaults, Metrics: m.counted, Now: time.Now,
			Options: engine.Options{
				MachineName: o.Node, AllowedServices: o.AllowedServices, InitialSpread: o.InitialSpread, LastAlive: lastAlive, Previous: previous,
				Started: time.Now(), Incomplete: source.Incomplete,
			},
		},
	}
}

// leaveGrace is how long a certificate must be missing in the settings before its deletion policy is followed.
const leaveGrace = 10 * time.Second

func generationsOf(entries map[string]v1alpha1.CertificateEntry) map[string]int64 {
	generations := map[string]int64{}
	for name, entry := range entries {
		generations[name] = entry.Generation
	}
	return generations
}

// checkSelectors returns the check that refuses node selectors on a machine that has no labels.
func checkSelectors(machine labels.Set) func(settings.File) error {
	if len(machine) > 0 {
		return nil
	}
	return func(file settings.File) error {
		var problems settings.Problems
		for i, certificate := range file.Certificates {
			if selector, err := certificate.Spec.NodeSelector.AsSelector(); err != nil || !selector.Empty() {
				field := strings.TrimPrefix(file.Positions[i].Field+".spec.nodeSelector", ".")
				problems = append(problems, settings.Problem{File: file.Path, Line: file.Positions[i].Line, Field: field,
					Text: "selects nodes of a cluster by their labels, and this machine has none; remove it, or give the machine labels with --node-labels"})
			}
		}
		if len(problems) > 0 {
			return problems
		}
		return nil
	}
}

// waiting returns why the machine does not have its first certificates yet, empty when it has.
func (m *machine) waiting(ctx context.Context) []string {
	m.mu.Lock()
	agent := m.agent
	m.mu.Unlock()
	if agent == nil {
		if held, err := machinelock.Held(m.options.Store.Path); err == nil && held {
			return []string{"another agent uses this machine's store"}
		}
		return []string{"the agent has not locked this machine's store yet"}
	}
	return agent.Waiting(ctx)
}

// ready returns an error until the settings have been read completely.
func (m *machine) ready() error {
	m.mu.Lock()
	agent := m.agent
	m.mu.Unlock()
	switch {
	case agent == nil:
		return errors.New("waiting for the lock of this machine")
	case !agent.Source.Read():
		return errors.New("waiting for settings that can be read: vaultpane-agent status shows what is wrong")
	}
	return nil
}
