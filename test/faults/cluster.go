package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

const (
	nodeName     = "akswin000000"
	certificates = 6
)

// cluster is a control plane with one node and its agent, and a vault.
type cluster struct {
	dir     string
	plane   *controlplane.ControlPlane
	kube    client.Client
	vaults  *keyvault.Server
	vault   *keyvault.Vault
	machine *node.Machine
	agent   *node.Process
}

func newCluster(ctx context.Context) (*cluster, error) {
	c := &cluster{}
	root, err := os.Getwd()
	if err != nil {
		return c, fmt.Errorf("finding the repository: %w", err)
	}
	if c.dir, err = os.MkdirTemp("", "vaultpane-faults-"); err != nil {
		return c, fmt.Errorf("making a folder: %w", err)
	}
	if c.machine, err = node.NewMachine(ctx, node.Native, root, filepath.Join(c.dir, "machine")); err != nil {
		return c, err
	}
	if c.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(c.dir, "keyvault"), Vaults: []string{"shop"}}); err != nil {
		return c, err
	}
	c.vault = c.vaults.Vault("shop")
	log := func(format string, args ...any) { fmt.Printf("faults: "+format+"\n", args...) }
	if c.plane, err = controlplane.Start(ctx, controlplane.Options{Log: log}); err != nil {
		return c, err
	}
	c.kube, err = install.WithNode(ctx, c.plane, root, nodeName, c.kubeconfig())
	return c, err
}

func (c *cluster) kubeconfig() string { return filepath.Join(c.dir, "agent.kubeconfig") }

func (c *cluster) close() {
	if c.agent != nil {
		c.agent.Kill()
	}
	if c.plane != nil {
		_ = c.plane.Stop() // it ends with this process anyway
	}
	if c.vaults != nil {
		_ = c.vaults.Close() // likewise
	}
	_ = os.RemoveAll(c.dir) // a temporary folder
}

func nameOf(number int) string { return fmt.Sprintf("web-%d", number) }

// begin installs the certificates.
func (c *cluster) begin(ctx context.Context) error {
	one := int32(1)
	for number := range certificates {
		name := nameOf(number)
		if _, err := c.vault.Put(name, keyvault.CertificateOptions{WithChain: true}); err != nil {
			return err
		}
		err := c.kube.Create(ctx, &v1alpha1.ObservedCertificate{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.ObservedCertificateSpec{
				URL: c.vault.SecretURL(name), DeletionPolicy: v1alpha1.DeletionDelete, RevisionHistoryLimit: &one, LinkOnRenewal: true,
			},
		})
		if err != nil {
			return err
		}
	}
	if err := c.restart(); err != nil {
		return err
	}
	return c.settle(ctx)
}

// restart kills the agent and starts another.
func (c *cluster) restart() error {
	if c.agent != nil {
		c.agent.Kill()
	}
	var err error
	c.agent, err = c.machine.Start(filepath.Join(c.dir, "agent.log"), slices.Concat(c.vaults.Env(),
		c.machine.AgentSettings(nodeName, c.kubeconfig(), c.vaults.CAFile()),
		[]string{"VAULTPANE_STORE_CHECK_INTERVAL=2s", "VAULTPANE_INITIAL_SPREAD=0s"}))
	return err
}

// disturb does something to one certificate that makes the agent write.
func (c *cluster) disturb(ctx context.Context, chance *rand.Rand) error {
	name, stores := nameOf(chance.IntN(certificates)), []string{"MY", "WebHosting"}
	kind := chance.IntN(4)
	if kind < 2 {
		if _, err := c.vault.Rotate(name); err != nil {
			return err
		}
	}
	return c.change(ctx, name, func(certificate *v1alpha1.ObservedCertificate) {
		switch kind {
		case 2:
			certificate.Spec.CertificateStoreName = stores[chance.IntN(len(stores))]
		case 3:
			certificate.Spec.KeyExportable = !certificate.Spec.KeyExportable
		}
		metav1.SetMetaDataAnnotation(&certificate.ObjectMeta, v1alpha1.RequestedAtAnnotation, time.Now().UTC().Format(time.RFC3339Nano))
	})
}

func (c *cluster) change(ctx context.Context, name string, change func(*v1alpha1.ObservedCertificate)) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		var certificate v1alpha1.ObservedCertificate
		if err := c.kube.Get(ctx, types.NamespacedName{Name: name}, &certificate); err != nil {
			return err
		}
		change(&certificate)
		return c.kube.Update(ctx, &certificate)
	})
}

// settle waits until the node reports every certificate in the vault's newest version, as its spec wants it.
func (c *cluster) settle(ctx context.Context) error {
	asked := time.Now().UTC().Format(time.RFC3339Nano)
	for number := range certificates {
		err := c.change(ctx, nameOf(number), func(certificate *v1alpha1.ObservedCertificate) {
			metav1.SetMetaDataAnnotation(&certificate.ObjectMeta, v1alpha1.RequestedAtAnnotation, asked)
		})
		if err != nil {
			return err
		}
	}
	return wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		var state v1alpha1.NodeCertificateState
		if err := c.kube.Get(ctx, types.NamespacedName{Name: nodeName}, &state); err != nil {
			return false, client.IgnoreNotFound(err)
		}
		done := 0
		for _, entry := range state.Certificates {
			versions := c.vault.Versions(entry.Name)
			if entry.State == v1alpha1.StateInstalled && entry.RequestedAt == asked && entry.Version == versions[len(versions)-1] {
				done++
			}
		}
		return done == certificates, nil
	})
}

// leftovers waits for some checks of the store, and returns the files that belong to no certificate.
func (c *cluster) leftovers(ctx context.Context) ([]string, error) {
	select {
	case <-time.After(15 * time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	files, err := filepath.Glob(filepath.Join(c.machine.StorePath(), "*", "*", "*"))
	var left []string
	for _, file := range files {
		base, isKey := strings.CutSuffix(file, ".key")
		if isKey && !exists(base+".pem") || strings.HasSuffix(file, ".unfinished") {
			left = append(left, filepath.Base(file))
		}
	}
	return left, err
}
