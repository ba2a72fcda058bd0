package rollup_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/controllers/rollup"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/suite"
)

const namespace = install.Namespace

// agentNodes are the nodes that run the agent in these tests.
var agentNodes = labels.Set{"kubernetes.io/os": "windows"}

var scheme = suite.Scheme()

// cluster is a real API server with the CRDs and the controller's rights.
type cluster struct {
	plane *controlplane.ControlPlane
	kube  client.Client // the administrator's
}

// shared is the cluster of most tests, with one running controller. Each test has its own nodes and certificates.
var shared = sync.OnceValues(func() (*cluster, error) {
	c, err := startCluster()
	if err != nil {
		return nil, err
	}
	suite.AtEnd(c.plane.Stop)
	mgr, err := c.manager(false)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	suite.AtEnd(func() error { cancel(); return nil })
	go func() { _ = mgr.Start(ctx) }() // it runs until the tests end
	return c, nil
})

func TestMain(m *testing.M) {
	os.Exit(suite.Run(m, logr.Discard(), "8"))
}

func startCluster() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	plane, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return nil, err
	}
	c := &cluster{plane: plane}
	if err := install.Everything(ctx, plane, filepath.Join("..", "..")); err != nil {
		return nil, errors.Join(err, plane.Stop())
	}
	if c.kube, err = client.New(plane.Config(), client.Options{Scheme: scheme}); err != nil {
		return nil, errors.Join(err, plane.Stop())
	}
	return c, nil
}

// forTest returns the shared cluster.
func forTest(t *testing.T) *cluster {
	t.Helper()
	controlplane.SkipWithout(t)
	t.Parallel()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ownCluster returns a cluster for this test alone, without a controller.
func ownCluster(t *testing.T) *cluster {
	t.Helper()
	controlplane.SkipWithout(t)
	t.Parallel()
	c, err := startCluster()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.plane.Stop(); err != nil {
			t.Errorf("stopping the control plane: %v", err)
		}
	})
	return c
}

// manager returns a controller with exactly the rights of its service account.
func (c *cluster) manager(leaderElection bool) (ctrl.Manager, error) {
	kube, err := c.plane.UserConfig("system:serviceaccount:"+namespace+":vaultpane-controller", "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	if err != nil {
		return nil, err
	}
	// A leading controller stops if a busy API server does not answer before the renewal deadline, so these times are long. The
	// Lease is released at the end, so another controller takes over immediately anyway.
	unnamed, lease, renewal := true, 10*time.Minute, 5*time.Minute
	mgr, err := ctrl.NewManager(kube, ctrl.Options{
		Scheme: scheme, Cache: rollup.CacheOptions(namespace), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller:     config.Controller{SkipNameValidation: &unnamed}, // several in one process
		LeaderElection: leaderElection, LeaderElectionID: "vaultpane-controller", LeaderElectionNamespace: namespace,
		LeaderElectionReleaseOnCancel: true, LeaseDuration: &lease, RenewDeadline: &renewal,
	})
	if err != nil {
		return nil, err
	}
	roll := &rollup.Rollup{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Events: mgr.GetEventRecorder("vaultpane-controller"), Now: time.Now,
		Registry: prometheus.NewRegistry(),
		Options:  rollup.Options{Namespace: namespace, Agents: labels.SelectorFromSet(agentNodes), ExpiringSoon: 24 * time.Hour, WatchEvents: 5000},
	}
	return mgr, roll.SetupWithManager(mgr)
}

// startController runs a controller and returns a function that stops it and returns when it has stopped.
func (c *cluster) startController(t *testing.T, leaderElection bool) (kill func()) {
	t.Helper()
	mgr, err := c.manager(leaderElection)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	kill = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the controller ended: %v", err)
		}
	})
	t.Cleanup(kill)
	return kill
}
