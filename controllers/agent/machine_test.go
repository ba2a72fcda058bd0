package agent_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vaultpane/vaultpane/controllers/agent"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// checkInterval is the time between two checks of the store, short because tests wait for them.
const checkInterval = 300 * time.Millisecond

// machine is a node with its store and its agent, in a cluster or with settings files.
type machine struct {
	*cluster
	t          *testing.T
	name       string
	front      front
	store      *faultyStore
	host       *host
	clock      *clock
	log        *logBuffer
	reconciles *reconcileCount

	publications *agent.Publications // in a cluster
	configMaps   *agent.ConfigMaps   // the same

	configMapRequests reconcileCount // of its agents, by the ConfigMap's name
	configMapFails    atomic.Bool    // the API server fails for them

	stopAgent func()
}

// newMachine makes a node with an empty store and starts its agent. The name is the node's and begins those of its
// ObservedCertificates and secrets, so that tests do not affect each other.
func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	if !withFiles {
		controlplane.SkipWithout(t)
	}
	t.Parallel()
	m := &machine{
		t: t, name: name, clock: &clock{}, log: &logBuffer{}, host: &host{}, reconciles: &reconcileCount{},
		store: &faultyStore{root: filepath.Join(winetest.TempDir(t), "store")},
	}
	if withFiles {
		m.front = newFilesFront(m)
	} else {
		m.front = newClusterFront(m)
	}
	m.start()
	t.Cleanup(func() {
		m.stop()
		if t.Failed() {
			t.Logf("the end of the agent's log:\n%s", m.log.end())
		}
	})
	return m
}

// newClusterMachine is newMachine for a test of what only a cluster has.
func newClusterMachine(t *testing.T, name string) *machine {
	t.Helper()
	if withFiles {
		t.Skip("about objects and nodes of a cluster; it has run with one")
	}
	return newMachine(t, name)
}

// start starts an agent as a new process would: with new vault clients, and with no memory but the store and what was reported.
func (m *machine) start() {
	m.t.Helper()
	m.store.renew(m.t)
	run := m.front.agent(m.newEngine())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	m.stopAgent = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			m.t.Errorf("the agent ended with %v", err)
		}
	})
}

// newEngine returns an engine that the front has to connect.
func (m *machine) newEngine() *engine.Engine {
	m.t.Helper()
	vaults, err := keyvault.New(keyvault.Options{AllowedHosts: []string{"localhost"}, CABundle: m.caPEM, DisableChallengeResourceVerification: true})
	if err != nil {
		m.t.Fatal(err)
	}
	return &engine.Engine{
		Store: m.store, Machine: m.host, Programs: &m.host.programs, Secrets: vaults, Metrics: engine.NewMetrics(prometheus.NewRegistry(), "test"), Now: m.clock.Now,
		Options: engine.Options{MachineName: m.name, Started: m.clock.Now(), AllowedServices: []string{"W3SVC"}},
	}
}

// stop ends the agent; again is a no-op.
func (m *machine) stop() { m.stopAgent() }
