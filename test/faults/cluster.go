package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/node"
)

// cluster is a control plane and the controller, which the nodes of both kinds share.
type cluster struct {
	root, dir string
	plane     *controlplane.ControlPlane
	kube      client.Client

	mu         sync.Mutex
	controller *node.Process
	away       chan struct{} // holds one element while a site has taken the API server away
}

// startCluster starts both. The API server ends one in a hundred connections with GOAWAY all the time.
func startCluster(ctx context.Context, root, dir string) (*cluster, error) {
	c := &cluster{root: root, dir: dir, away: make(chan struct{}, 1)}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return c, fmt.Errorf("making a folder: %w", err)
	}
	log := func(format string, args ...any) { fmt.Printf("faults: "+format+"\n", args...) }
	var err error
	if c.plane, err = controlplane.Start(ctx, controlplane.Options{Log: log, APIServerArgs: []string{"--goaway-chance=0.01"}}); err != nil {
		return c, err
	}
	if err := install.Everything(ctx, c.plane, root); err != nil {
		return c, err
	}
	types, err := scheme.New()
	if err != nil {
		return c, err
	}
	if c.kube, err = client.New(c.plane.Config(), client.Options{Scheme: types}); err != nil {
		return c, fmt.Errorf("creating a client: %w", err)
	}
	if err := install.WriteControllerKubeconfig(ctx, c.plane, c.controllerKubeconfig()); err != nil {
		return c, err
	}
	return c, c.restartController()
}

func (c *cluster) controllerKubeconfig() string {
	return filepath.Join(c.dir, "controller.kubeconfig")
}

// restartController kills the controller, if it runs, and starts another.
func (c *cluster) restartController() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.controller != nil {
		c.controller.Kill()
	}
	var err error
	c.controller, err = node.StartController(c.root, filepath.Join(c.dir, "controller.log"), []string{
		"VAULTPANE_KUBECONFIG=" + c.controllerKubeconfig(), "VAULTPANE_METRICS_BIND_ADDRESS=0", "VAULTPANE_HEALTH_PROBE_BIND_ADDRESS=0",
		"VAULTPANE_LOG_FORMAT=text", "VAULTPANE_LEADER_ELECT=false"})
	return err
}

func (c *cluster) close() {
	if c == nil {
		return
	}
	if c.controller != nil {
		c.controller.Kill()
	}
	if c.plane != nil {
		_ = c.plane.Stop() // it ends with this process anyway
	}
}

// member is the front of a site, whose connections to the API server go through a proxy.
func (c *cluster) member(s *site) front {
	return &member{cluster: c, site: s, node: "node-" + s.short}
}

// join makes the Node and writes the kubeconfig of its agent.
func (m *member) join(ctx context.Context) error {
	labels := map[string]string{"kubernetes.io/os": "windows", corev1.LabelHostname: m.node}
	if err := m.cluster.kube.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: m.node, Labels: labels}}); err != nil {
		return fmt.Errorf("making the Node %s: %w", m.node, err)
	}
	if err := install.WriteAgentKubeconfig(ctx, m.cluster.plane, m.kubeconfig(), m.node); err != nil {
		return err
	}
	var err error
	m.proxy, err = newProxy(m.kubeconfig())
	return err
}
