package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/demo/scene"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// nodes are the nodes of the cluster with their pools.
var nodes = []struct{ name, pool string }{{"akspay000000", "pay"}, {"aksweb000000", "web"}, {"aksweb000001", "web"}}

// shown is the host of the vault in the recording.
const shown = "shop.vault.azure.net"

// stage is a cluster with agents, a controller and a vault.
type stage struct {
	dir, bin  string
	cluster   *controlplane.ControlPlane
	vaults    *keyvault.Server
	machines  []*node.Machine
	processes []*node.Process
}

func newStage(ctx context.Context, bin string) (*stage, error) {
	s := &stage{}
	var err error
	if s.bin, err = filepath.Abs(bin); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "vaultpane-recording-"); err != nil {
		return s, err
	}
	s.cluster, err = controlplane.Start(ctx, controlplane.Options{Log: func(string, ...any) {}})
	if err != nil {
		return s, err
	}
	if err := s.startVault(); err != nil {
		return s, err
	}
	root, err := os.Getwd()
	if err != nil {
		return s, err
	}
	if err := install.Everything(ctx, s.cluster, root); err != nil {
		return s, err
	}
	if err := s.startController(ctx, root); err != nil {
		return s, err
	}
	if err := s.installDaemonSet(root); err != nil {
		return s, err
	}
	for _, one := range nodes {
		if err := s.startAgent(ctx, root, one.name, one.pool); err != nil {
			return s, err
		}
	}
	return s, os.WriteFile(s.path("vmss.json"), []byte(scaleSets), 0o600)
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// close ends everything that the stage has started, and removes its folder.
func (s *stage) close() {
	for _, process := range s.processes {
		process.Kill()
	}
	for _, machine := range s.machines {
		machine.Close()
	}
	if s.vaults != nil {
		_ = s.vaults.Close() // it ends with this process anyway
	}
	if s.cluster != nil {
		_ = s.cluster.Stop() // likewise
	}
	_ = os.RemoveAll(s.dir) // a temporary folder
}

func (s *stage) startVault() error {
	var err error
	if s.vaults, err = keyvault.Start(keyvault.Options{Dir: s.path("keyvault"), Vaults: []string{"shop"}}); err != nil {
		return err
	}
	end := time.Now().Add(90 * 24 * time.Hour) // of all: status sorts by it, and keys take seconds to generate
	for _, name := range []string{"web", "payments", "old"} {
		options := keyvault.CertificateOptions{NotAfter: end, KeyType: keyvault.RSA2048, ContentType: keyvault.PFX, WithChain: true, Names: []string{name + ".example.com"}}
		if _, err := s.vaults.Vault("shop").Put(name, options); err != nil {
			return err
		}
	}
	return s.vaults.Vault("shop").Disable("old", "")
}

func (s *stage) startController(ctx context.Context, root string) error {
	kubeconfig := s.path("controller.kubeconfig")
	if err := install.WriteControllerKubeconfig(ctx, s.cluster, kubeconfig); err != nil {
		return err
	}
	controller, err := node.StartController(root, s.path("controller.log"), []string{
		"VAULTPANE_KUBECONFIG=" + kubeconfig, "VAULTPANE_METRICS_BIND_ADDRESS=0", "VAULTPANE_HEALTH_PROBE_BIND_ADDRESS=0"})
	if err == nil {
		s.processes = append(s.processes, controller)
	}
	return err
}

// installDaemonSet creates the agents' DaemonSet, from which the plugin reads their settings. Nothing makes pods of it.
func (s *stage) installDaemonSet(root string) error {
	if _, err := s.kubectl("", "apply", "-f", filepath.Join(root, "config", "agent", "agent.yaml")); err != nil {
		return err
	}
	_, err := s.kubectl("", "-n", install.Namespace, "set", "env", "daemonset/vaultpane-agent", "VAULTPANE_ALLOWED_VAULT_HOSTS=localhost")
	return err
}

func (s *stage) startAgent(ctx context.Context, root, name, pool string) error {
	manifest := fmt.Sprintf(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": %q, "labels": {"kubernetes.io/os": "windows", "kubernetes.azure.com/agentpool": %q}}}`, name, pool)
	if _, err := s.kubectl(manifest, "apply", "-f", "-"); err != nil {
		return err
	}
	machine, err := node.NewMachine(ctx, node.Native, root, s.path(name))
	if err != nil {
		return err
	}
	s.machines = append(s.machines, machine)
	kubeconfig := s.path(name + ".kubeconfig")
	if err := install.WriteAgentKubeconfig(ctx, s.cluster, kubeconfig, name); err != nil {
		return err
	}
	environment := slices.Concat(s.vaults.Env(), machine.AgentSettings(name, kubeconfig, s.vaults.CAFile()), []string{"VAULTPANE_INITIAL_SPREAD=1s"})
	agent, err := machine.Start(s.path(name+".log"), environment)
	if err != nil {
		return err
	}
	s.processes = append(s.processes, agent)
	return scene.Until(ctx, "the first report of "+name, func() (bool, error) {
		output, err := s.kubectl("", "get", "nodecert", name, "--ignore-not-found", "-o", "name")
		return output != "", err
	})
}

// kubectl runs kubectl as the cluster's administrator.
func (s *stage) kubectl(input string, arguments ...string) (string, error) {
	return s.cluster.RunKubectl(input, arguments...)
}

// plugin runs kubectl vaultpane with colours, and returns what a terminal would show.
func (s *stage) plugin(ctx context.Context, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	return s.cluster.RunPlugin(ctx, s.bin, s.dir, []string{"LC_ALL=C.UTF-8", "CLICOLOR_FORCE=1", "TERM=xterm", "NO_COLOR="}, arguments...)
}

// scaleSets is what az vmss list prints of two node pools that have the extension, without the parts that nobody reads.
const scaleSets = `[
  {"id": "/subscriptions/0/resourceGroups/MC_shop/providers/Microsoft.Compute/virtualMachineScaleSets/akspay", "name": "akspay",
   "type": "Microsoft.Compute/virtualMachineScaleSets", "tags": {"aks-managed-poolName": "pay"},
   "virtualMachineProfile": {"extensionProfile": {"extensions": [{"name": "kv", "publisher": "Microsoft.Azure.KeyVault",
     "typePropertiesType": "KeyVaultForWindows", "typeHandlerVersion": "3.0", "settings": {"secretsManagementSettings": {"observedCertificates": [
       {"url": "https://` + shown + `/secrets/payments"}, {"url": "https://` + shown + `/secrets/web"}]}}}]}}},
  {"id": "/subscriptions/0/resourceGroups/MC_shop/providers/Microsoft.Compute/virtualMachineScaleSets/aksweb", "name": "aksweb",
   "type": "Microsoft.Compute/virtualMachineScaleSets", "tags": {"aks-managed-poolName": "web"},
   "virtualMachineProfile": {"extensionProfile": {"extensions": [{"name": "kv", "publisher": "Microsoft.Azure.KeyVault",
     "typePropertiesType": "KeyVaultForWindows", "typeHandlerVersion": "3.0", "settings": {"secretsManagementSettings": {"observedCertificates": [
       {"url": "https://` + shown + `/secrets/web"}, {"url": "https://` + shown + `/secrets/old"}]}}}]}}}
]
`
