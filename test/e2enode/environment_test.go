//go:build linux

package e2enode

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/linuxnode"
)

// Tags of the images: of the installation, and of the upgrade. They are the same images.
const (
	firstTag  = "first"
	secondTag = "second"
)

// environment is a cluster with one real node, a vault, and Helm.
type environment struct {
	root, dir string
	cluster   *controlplane.ControlPlane
	client    client.Client
	vaults    *keyvault.Server
	shop      *keyvault.Vault
	node      *linuxnode.Node
	signIns   signIns
	env       []string // of the agents' identity
}

func newEnvironment(t *testing.T) *environment {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	w := &environment{root: root, dir: t.TempDir()}
	t.Cleanup(func() { w.close(t) })
	for _, step := range []func(context.Context, *testing.T) error{w.startCluster, w.startVault, w.startNode} {
		if err := step(t.Context(), t); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *environment) startCluster(ctx context.Context, t *testing.T) error {
	if err := linuxnode.Network(ctx, controlplane.ServiceAddress); err != nil {
		return err
	}
	var err error
	if w.cluster, err = controlplane.Start(ctx, controlplane.Options{Controllers: true, Kubelets: true, Log: t.Logf}); err != nil {
		return err
	}
	if err := linuxnode.ServeAPIServer(ctx, controlplane.ServiceAddress, w.cluster.Address()); err != nil {
		return err
	}
	types, err := scheme.New()
	if err != nil {
		return err
	}
	if w.client, err = client.New(w.cluster.Config(), client.Options{Scheme: types}); err != nil {
		return fmt.Errorf("creating a client: %w", err)
	}
	return nil
}

// startVault starts a vault whose tenant trusts the tokens of the cluster's agents, and prepares the namespace.
func (w *environment) startVault(ctx context.Context, _ *testing.T) error {
	var err error
	if w.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(w.dir, "keyvault"), Vaults: []string{"shop"}}); err != nil {
		return err
	}
	w.shop = w.vaults.Vault("shop")
	w.env = w.vaults.FederatedEnv(w.accepts)
	labels := map[string]string{"pod-security.kubernetes.io/enforce": "privileged"}
	if err := w.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: labels}}); err != nil {
		return fmt.Errorf("making the namespace: %w", err)
	}
	bundle := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "vault-ca"}, Data: map[string]string{"ca.crt": string(w.vaults.CAPEM())},
	}
	if err := w.client.Create(ctx, bundle); err != nil {
		return fmt.Errorf("making the CA bundle: %w", err)
	}
	return nil
}

// accepts checks a federated token at the cluster, as Entra ID does with the cluster's published keys: signature, expiry, audience
// and subject.
func (w *environment) accepts(token string) bool {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token, Audiences: []string{azureAudience}}}
	if err := w.client.Create(context.Background(), review); err != nil {
		return false
	}
	good := review.Status.Authenticated && review.Status.User.Username == install.AgentUser
	if good {
		w.signIns.add(token)
	}
	return good
}

func (w *environment) startNode(ctx context.Context, t *testing.T) error {
	kubelet, err := controlplane.FindKubelet(ctx, t.Logf)
	if err != nil {
		return err
	}
	w.node, err = linuxnode.Start(ctx, linuxnode.Options{
		Plane: w.cluster, Kubelet: kubelet.Kubelet(), Pause: filepath.Join(w.root, "bin", "e2e-node-pause"),
		Taints: []linuxnode.Taint{{Key: v1alpha1.StartupTaintKey, Effect: corev1.TaintEffectNoSchedule}},
	})
	if err != nil {
		return err
	}
	for _, name := range []string{"vaultpane-agent", "vaultpane-controller"} {
		image := "ghcr.io/vaultpane/" + name + ":"
		if err := w.node.Import(ctx, filepath.Join(*imagesFlag, name), image+firstTag, image+secondTag); err != nil {
			return err
		}
	}
	return nil
}

func (w *environment) close(t *testing.T) {
	t.Helper()
	if w.node != nil {
		if t.Failed() {
			w.explain(t)
		}
		if err := w.node.Stop(); err != nil {
			t.Error(err)
		}
	}
	if w.cluster != nil {
		if err := w.cluster.Stop(); err != nil {
			t.Error(err)
		}
	}
	if w.vaults != nil {
		_ = w.vaults.Close() // it ends with this process anyway
	}
}

// explain prints what is needed to understand a failure.
func (w *environment) explain(t *testing.T) {
	t.Helper()
	for _, arguments := range [][]string{
		{"get", "nodes,pods", "--all-namespaces", "--output=wide"},
		{"describe", "pods", "--namespace=" + namespace},
		{"logs", "--namespace=" + namespace, "--selector=app.kubernetes.io/instance=" + release, "--prefix", "--tail=50"},
	} {
		text, err := w.cluster.RunKubectl("", arguments...)
		t.Logf("--- kubectl %v (%v) ---\n%s", arguments, err, text)
	}
	for _, file := range w.node.Logs() {
		text, err := os.ReadFile(file)
		t.Logf("--- the end of %s (%v) ---\n%s", filepath.Base(file), err, text[max(0, len(text)-20_000):])
	}
}
