package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

const (
	nodeName  = "akswin000000"
	namespace = "vaultpane-system"
	workers   = "10"
)

// bench is a cluster of one node and one vault.
type bench struct {
	*table
	root, dir string
	cluster   *controlplane.ControlPlane
	client    client.Client
	vaults    *keyvault.Server
	vault     *keyvault.Vault
	agent     *node.Process
	machine   *node.Machine
	machines  int
}

func newBench(ctx context.Context, t *table) (*bench, error) {
	b := &bench{table: t}
	var err error
	if b.root, err = os.Getwd(); err != nil {
		return b, err
	}
	if b.dir, err = os.MkdirTemp("", "vaultpane-bench-"); err != nil {
		return b, err
	}
	if b.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(b.dir, "keyvault"), Vaults: []string{"shop"}}); err != nil {
		return b, err
	}
	b.vault = b.vaults.Vault("shop")
	if b.cluster, err = controlplane.Start(ctx, controlplane.Options{}); err != nil {
		return b, err
	}
	if b.client, err = newClient(b.cluster.Config()); err != nil {
		return b, err
	}
	if err := b.cluster.InstallCRDs(ctx, filepath.Join(b.root, "config", "crd")); err != nil {
		return b, err
	}
	for _, arguments := range [][]string{
		{"create", "namespace", namespace},
		{"apply", "-f", filepath.Join(b.root, "config", "rbac", "agent")},
	} {
		if _, err := b.kubectl("", arguments...); err != nil {
			return b, err
		}
	}
	if _, err := b.kubectl(fmt.Sprintf(`{"apiVersion": "v1", "kind": "Node", "metadata": {"name": %q}}`, nodeName), "create", "-f", "-"); err != nil {
		return b, err
	}
	return b, b.cluster.WriteUserKubeconfig(b.kubeconfig(), "system:serviceaccount:"+namespace+":vaultpane-agent")
}

func newClient(config *rest.Config) (client.Client, error) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return client.New(config, client.Options{Scheme: scheme})
}

func (b *bench) kubeconfig() string { return filepath.Join(b.dir, "agent.kubeconfig") }

func (b *bench) close() {
	b.stopAgent()
	if b.cluster != nil {
		_ = b.cluster.Stop() // it ends with this process anyway
	}
	if b.vaults != nil {
		_ = b.vaults.Close() // likewise
	}
	_ = os.RemoveAll(b.dir) // a temporary folder
}

func (b *bench) kubectl(input string, arguments ...string) (string, error) {
	return b.cluster.RunKubectl(input, arguments...)
}

// observe makes ObservedCertificates for the secrets prefix-0000 and on.
func (b *bench) observe(kind node.Kind, prefix string, from, to int, interval time.Duration) error {
	var manifest strings.Builder
	for i := from; i < to; i++ {
		name := fmt.Sprintf("%s-%04d", prefix, i)
		fmt.Fprintf(&manifest, "---\napiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificate\nmetadata: {name: %s}\nspec: {url: %s, keyStorageProvider: %s, pollingIntervalInS: %d}\n",
			name, b.vault.SecretURL(name), provider(kind), int(interval/time.Second))
	}
	_, err := b.kubectl(manifest.String(), "create", "-f", "-")
	return err
}

// provider is CAPI where there is no CNG. The directory takes any.
func provider(kind node.Kind) string {
	if kind == node.Wine {
		return "CAPI"
	}
	return "CNG"
}

// newMachine makes a machine with an empty store, and forgets what the node has reported.
func (b *bench) newMachine(ctx context.Context, kind node.Kind) error {
	b.stopAgent()
	b.machines++
	var err error
	b.machine, err = node.NewMachine(ctx, kind, b.root, filepath.Join(b.dir, "machine"+strconv.Itoa(b.machines)))
	if err != nil {
		return err
	}
	_, err = b.kubectl("", "delete", "nodecertificatestate,lease", nodeName, "-n", namespace, "--ignore-not-found")
	return err
}

func (b *bench) stopAgent() {
	if b.agent != nil {
		b.agent.Kill()
		b.agent = nil
	}
	if b.machine != nil {
		b.machine.Close()
		_ = os.RemoveAll(b.machine.Dir) // a Wine prefix is large
		b.machine = nil
	}
}

func (b *bench) log() string { return filepath.Join(b.dir, fmt.Sprintf("agent%d.log", b.machines)) }

func (b *bench) environment() []string {
	return append(b.vaults.Env(), "VAULTPANE_CA_BUNDLE="+b.machine.Path(b.vaults.CAFile()), "VAULTPANE_ALLOWED_VAULT_HOSTS=localhost")
}

// startAgent starts the agent; more variables override its own.
func (b *bench) startAgent(more ...string) error {
	var err error
	b.agent, err = b.machine.Start(b.log(), slices.Concat(b.vaults.Env(),
		b.machine.AgentSettings(nodeName, b.kubeconfig(), b.vaults.CAFile()),
		[]string{"VAULTPANE_WORKERS=" + workers, "VAULTPANE_INITIAL_SPREAD=0s", "VAULTPANE_LOG_FORMAT=text"}, more))
	return err
}

// reported waits until the node reports a number of certificates as installed. It asks by itself: a kubectl twice a second
// would take a good part of the machine that is measured.
func (b *bench) reported(ctx context.Context, count int) error {
	err := wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, 15*time.Minute, true, func(ctx context.Context) (bool, error) {
		if !b.agent.Running() {
			return false, errors.New("the agent has ended")
		}
		var state v1alpha1.NodeCertificateState
		if err := b.client.Get(ctx, client.ObjectKey{Name: nodeName}, &state); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		installed := 0
		for _, entry := range state.Certificates {
			if entry.Thumbprint != "" {
				installed++
			}
		}
		return installed == count, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for %d certificates on the node: %w", count, err)
	}
	return nil
}

// writes counts the API server's writes of what an agent writes but its Lease.
func (b *bench) writes() (int, error) {
	text, err := b.kubectl("", "get", "--raw", "/metrics")
	if err != nil {
		return 0, err
	}
	total := 0
	for line := range strings.Lines(text) {
		ours := strings.Contains(line, `resource="nodecertificatestates"`) || strings.Contains(line, `group="events.k8s.io"`)
		write := strings.Contains(line, `verb="POST"`) || strings.Contains(line, `verb="PUT"`) || strings.Contains(line, `verb="PATCH"`) || strings.Contains(line, `verb="APPLY"`)
		if !strings.HasPrefix(line, "apiserver_request_total{") || !ours || !write {
			continue
		}
		fields := strings.Fields(line)
		count, err := strconv.ParseFloat(fields[len(fields)-1], 64)
		if err != nil {
			return 0, fmt.Errorf("reading the API server's metrics: %w", err)
		}
		total += int(count)
	}
	return total, nil
}
