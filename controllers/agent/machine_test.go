package agent_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
)

// checkInterval is the time between two checks of the store, short because tests wait for them.
const checkInterval = 300 * time.Millisecond

// machine is a node with its store and its agent.
type machine struct {
	*cluster
	t          *testing.T
	node       *corev1.Node
	agent      *rest.Config // with a token of the node's agent
	store      *faultyStore
	host       *host
	clock      *clock
	log        *logBuffer
	reconciles *reconcileCount

	stopAgent func()
}

// newMachine makes a node with an empty store and starts its agent. The name is the node's and begins those of its
// ObservedCertificates and secrets, so that tests do not affect each other.
func newMachine(t *testing.T, name string) *machine {
	t.Helper()
	controlplane.SkipWithout(t)
	t.Parallel()
	shared, err := sharedCluster()
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{
		cluster: shared, t: t, clock: &clock{}, log: &logBuffer{}, host: &host{}, reconciles: &reconcileCount{},
		store: &faultyStore{root: filepath.Join(t.TempDir(), "store")},
		node:  &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{machineLabel: name}}},
	}
	if err := m.kube.Create(t.Context(), m.node); err != nil {
		t.Fatal(err)
	}
	if m.agent, err = install.AgentConfig(t.Context(), m.plane, name); err != nil {
		t.Fatal(err)
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

// start starts an agent as a new process would: with new vault clients, and with no memory but the store and the node's
// state.
func (m *machine) start() {
	m.t.Helper()
	m.store.renew(m.t)
	mgr := m.newManager()
	vaults, err := keyvault.New(keyvault.Options{AllowedHosts: []string{"localhost"}, CABundle: m.caPEM, DisableChallengeResourceVerification: true})
	if err != nil {
		m.t.Fatal(err)
	}
	reporter := &report.Reporter{Client: mgr.GetClient(), Node: m.node.Name, NodeUID: m.node.UID, AgentVersion: "test", Now: m.clock.Now}
	previous, err := reporter.Load(m.t.Context())
	if err != nil {
		m.t.Fatal(err)
	}
	selection := agent.Selection{Client: &countingClient{mgr.GetClient(), m.reconciles}, Node: m.node.Name}
	certificates := &engine.Engine{
		Certificates: selection, Reports: reporter,
		Store: m.store, Machine: m.host, Secrets: vaults, Metrics: engine.NewMetrics(prometheus.NewRegistry(), "test"), Now: m.clock.Now,
		Options: engine.Options{MachineName: m.node.Name, Started: m.clock.Now(), Previous: previous},
	}
	reconciler := agent.New(agent.Options{Workers: 4, StoreCheckInterval: checkInterval}, selection, certificates, reporter, mgr.GetEventRecorder("vaultpane-agent"))
	if err := reconciler.SetupWithManager(mgr); err != nil {
		m.t.Fatal(err)
	}
	if err := mgr.Add(reporter); err != nil {
		m.t.Fatal(err)
	}
	m.run(mgr)
}

// newManager makes a manager as the agent's process does, with the rights of its service account.
func (m *machine) newManager() ctrl.Manager {
	m.t.Helper()
	again, soon := true, time.Second
	mgr, err := ctrl.NewManager(m.agent, ctrl.Options{
		Scheme: scheme, Logger: m.log.logger(), Metrics: metricsserver.Options{BindAddress: "0"}, GracefulShutdownTimeout: &soon,
		Controller: config.Controller{SkipNameValidation: &again}, // this process has several agents, one after another
		Cache: cache.Options{ByObject: map[client.Object]cache.ByObject{
			&corev1.Node{}: {Field: fields.OneTermEqualSelector("metadata.name", m.node.Name)},
		}},
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&v1alpha1.NodeCertificateState{}}}},
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return mgr
}

func (m *machine) run(mgr ctrl.Manager) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- mgr.Start(ctx) }()
	m.stopAgent = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			m.t.Errorf("the agent ended with %v", err)
		}
	})
}

// stop ends the agent; again is a no-op.
func (m *machine) stop() { m.stopAgent() }
