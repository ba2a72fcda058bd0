package e2einstall

import (
	"context"
	_ "embed" // kwok.yaml
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/node"
)

//go:embed kwok.yaml
var kwokStages []byte

// The nodes. Processes run on all but the simulated ones, see kwok.yaml.
const (
	linux   = "linux-1"
	windows = "windows-1"
	leaving = "windows-2"
)

var (
	live      = []string{linux, windows, leaving}
	simulated = []string{"simulated-windows-1", "simulated-windows-2"}
)

// liveLabel is on the nodes whose agents run.
const liveLabel = "e2e.vaultpane.dev/live"

// kwokAnnotation is on nodes that kwok takes care of.
const kwokAnnotation = "kwok.x-k8s.io/node"

func (w *environment) startKwok() error {
	kubeconfig, stages := filepath.Join(w.dir, "kwok.kubeconfig"), filepath.Join(w.dir, "kwok.yaml")
	if err := w.cluster.WriteKubeconfig(kubeconfig); err != nil {
		return err
	}
	if err := os.WriteFile(stages, kwokStages, 0o600); err != nil {
		return fmt.Errorf("writing kwok's stages: %w", err)
	}
	var err error
	w.kwok, err = node.StartProcess(exec.Command(filepath.Join(w.root, "bin", "kwok"), "--kubeconfig="+kubeconfig, "--config="+stages,
		"--manage-nodes-with-annotation-selector="+kwokAnnotation, "--node-lease-duration-seconds=40", "--node-port=0"),
		filepath.Join(w.dir, "kwok.log"))
	return err
}

// makeNodes makes the nodes, those of Windows with the startup taint, as their node pool's owner puts it on.
func (w *environment) makeNodes(ctx context.Context) error {
	for _, name := range append(simulated, live...) {
		system := "windows"
		if name == linux {
			system = "linux"
		}
		made := &corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Labels:      map[string]string{"kubernetes.io/os": system, "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": name},
			Annotations: map[string]string{kwokAnnotation: "fake"},
		}}
		if system == "windows" {
			made.Spec.Taints = []corev1.Taint{{Key: v1alpha1.StartupTaintKey, Effect: corev1.TaintEffectNoSchedule}}
		}
		if !strings.HasPrefix(name, "simulated-") {
			made.Labels[liveLabel] = "yes"
		}
		if err := w.client.Create(ctx, made); err != nil {
			return fmt.Errorf("making node %s: %w", name, err)
		}
	}
	return nil
}
