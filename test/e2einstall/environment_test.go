package e2einstall

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/kubelet"
	"github.com/vaultpane/vaultpane/test/node"
)

// environment is a cluster with Windows and Linux nodes, a vault, and Helm.
type environment struct {
	root, chart, dir string
	cluster          *controlplane.ControlPlane
	client           client.Client
	vaults           *keyvault.Server
	shop             *keyvault.Vault
	kwok             *node.Process
	kubelet          *kubelet.Kubelet
}

func newEnvironment(t *testing.T, chart string) *environment {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"helm", "kwok", "vaultpane-agent", "vaultpane-controller"} {
		if _, err := os.Stat(filepath.Join(root, "bin", program)); err != nil {
			t.Fatalf("looking for what make e2e-install builds: %v", err)
		}
	}
	w := &environment{root: root, chart: chart, dir: t.TempDir()}
	t.Cleanup(func() { w.close(t) })
	w.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(w.dir, "keyvault"), Vaults: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	w.shop = w.vaults.Vault("shop")
	w.cluster, err = controlplane.Start(t.Context(), controlplane.Options{Controllers: true, Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.prepareCluster(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.kubelet, err = kubelet.Start(kubelet.Options{
		Plane: w.cluster, Nodes: live, Bin: filepath.Join(root, "bin"), Dir: filepath.Join(w.dir, "kubelet"), Log: t.Logf,
		Environment: func(pod *corev1.Pod) []string {
			return []string{"VAULTPANE_STORE_PATH=" + w.machine(pod.Spec.NodeName).StorePath()}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *environment) prepareCluster(ctx context.Context) error {
	types, err := scheme.New(apiextensionsv1.AddToScheme)
	if err != nil {
		return err
	}
	if w.client, err = client.New(w.cluster.Config(), client.Options{Scheme: types}); err != nil {
		return fmt.Errorf("creating a client: %w", err)
	}
	// as an operator of Prometheus has them; the chart brings its own
	if err := w.cluster.InstallCRDs(ctx, filepath.Join(w.root, "charts", "testdata", "crds")); err != nil {
		return fmt.Errorf("installing the Prometheus operator's CRDs: %w", err)
	}
	if err := w.startKwok(); err != nil {
		return err
	}
	if err := w.makeNodes(ctx); err != nil {
		return err
	}
	return w.makeNamespace(ctx)
}

// makeNamespace creates the namespace as the documentation says: labelled for HostProcess pods, with the identity's secret and
// the vault's CA.
func (w *environment) makeNamespace(ctx context.Context) error {
	labels := map[string]string{"pod-security.kubernetes.io/enforce": "privileged"}
	if err := w.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: labels}}); err != nil {
		return fmt.Errorf("making the namespace: %w", err)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "azure"}, StringData: map[string]string{}}
	for _, variable := range w.vaults.Env() {
		name, value, _ := strings.Cut(variable, "=")
		secret.StringData[name] = value
	}
	if err := w.client.Create(ctx, secret); err != nil {
		return fmt.Errorf("making the identity's secret: %w", err)
	}
	bundle := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "vault-ca"}, Data: map[string]string{"ca.crt": string(w.vaults.CAPEM())}}
	if err := w.client.Create(ctx, bundle); err != nil {
		return fmt.Errorf("making the CA bundle: %w", err)
	}
	return nil
}

// machine is the machine of a node whose pods run.
func (w *environment) machine(nodeName string) *node.Machine {
	return &node.Machine{Kind: node.Native, Root: w.root, Dir: filepath.Join(w.dir, "machines", nodeName)}
}

func (w *environment) close(t *testing.T) {
	t.Helper()
	if w.kubelet != nil {
		w.kubelet.Stop()
		if t.Failed() {
			for pod, log := range w.kubelet.Logs() {
				t.Logf("--- %s ---\n%s", pod, log)
			}
		}
	}
	if w.kwok != nil {
		w.kwok.Kill()
		if log, err := os.ReadFile(filepath.Join(w.dir, "kwok.log")); t.Failed() {
			t.Logf("--- kwok (%v) ---\n%s", err, log)
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
