package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

const nodeName = "akswin000001"

// environment is a cluster of one node, its machine, and two vaults.
type environment struct {
	dir     string
	kind    node.Kind
	cluster *controlplane.ControlPlane
	client  client.Client
	vaults  *keyvault.Server
	shop    *keyvault.Vault
	machine *node.Machine
	agent   *node.Process
	// controller is the cluster's.
	controller *node.Process
}

func newEnvironment(ctx context.Context, root, machine string) (*environment, error) {
	w := &environment{kind: node.Kind(machine)}
	var err error
	if w.dir, err = os.MkdirTemp("", "vaultpane-e2e-"); err != nil {
		return w, err
	}
	if w.machine, err = node.NewMachine(ctx, w.kind, root, filepath.Join(w.dir, "machine")); err != nil {
		return w, err
	}
	if w.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(w.dir, "keyvault"), Vaults: []string{"shop", "ops", "elsewhere"}}); err != nil {
		return w, err
	}
	w.shop = w.vaults.Vault("shop")
	log := func(format string, args ...any) { fmt.Printf("e2e: "+format+"\n", args...) }
	if w.cluster, err = controlplane.Start(ctx, controlplane.Options{Log: log}); err != nil {
		return w, err
	}
	if w.client, err = install.WithNode(ctx, w.cluster, root, nodeName, w.kubeconfig()); err != nil {
		return w, err
	}
	if w.controller, err = w.startController(ctx); err != nil {
		return w, err
	}
	w.agent, err = w.startAgent()
	return w, err
}

// startController starts the controller with its own rights, and other settings.
func (w *environment) startController(ctx context.Context, settings ...string) (*node.Process, error) {
	kubeconfig := filepath.Join(w.dir, "controller.kubeconfig")
	if err := install.WriteControllerKubeconfig(ctx, w.cluster, kubeconfig); err != nil {
		return nil, err
	}
	return node.StartController(w.machine.Root, filepath.Join(w.dir, "controller.log"), append([]string{"VAULTPANE_KUBECONFIG=" + kubeconfig,
		"VAULTPANE_METRICS_BIND_ADDRESS=0", "VAULTPANE_HEALTH_PROBE_BIND_ADDRESS=0", "VAULTPANE_LOG_FORMAT=text"}, settings...))
}

func (w *environment) kubeconfig() string { return filepath.Join(w.dir, "agent.kubeconfig") }

func (w *environment) log() string { return filepath.Join(w.dir, "agent.log") }

// startAgent starts an agent with the rights, the token and the settings of a real one, and shorter waits.
func (w *environment) startAgent() (*node.Process, error) {
	return w.machine.Start(w.log(), slices.Concat(w.vaults.Env(), w.machine.AgentSettings(nodeName, w.kubeconfig(), w.vaults.CAFile()),
		[]string{"VAULTPANE_STORE_CHECK_INTERVAL=2s", "VAULTPANE_INITIAL_SPREAD=0s", "VAULTPANE_LOG_FORMAT=text", "VAULTPANE_LOG_LEVEL=1"}))
}

// restartAgent kills the agent, if it runs, and starts another.
func (w *environment) restartAgent(t *testing.T) {
	t.Helper()
	w.agent.Kill()
	var err error
	if w.agent, err = w.startAgent(); err != nil {
		t.Fatal(err)
	}
}

func (w *environment) close() {
	for _, process := range []*node.Process{w.agent, w.controller} {
		if process != nil {
			process.Kill()
		}
	}
	if w.machine != nil {
		w.machine.Close()
	}
	if w.cluster != nil {
		_ = w.cluster.Stop() // it ends with this process anyway
	}
	if w.vaults != nil {
		_ = w.vaults.Close() // likewise
	}
	_ = os.RemoveAll(w.dir) // a temporary folder
}

func (w *environment) printLog() {
	for _, file := range []string{"agent.log", "controller.log"} {
		log, err := os.ReadFile(filepath.Join(w.dir, file))
		fmt.Printf("--- %s (%v) ---\n%s\n", file, err, log)
	}
}

// forget removes a certificate of the machine, as another program would.
func (w *environment) forget(t *testing.T, thumbprint string) {
	t.Helper()
	if err := w.machine.Forget(t.Context(), thumbprint); err != nil {
		t.Fatal(err)
	}
}
