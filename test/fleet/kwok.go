package fleet

import (
	"context"
	_ "embed" // kwok.yaml
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/node"
)

// kwok takes care of the nodes with this annotation.
const (
	kwokAnnotation = "kwok.x-k8s.io/node"
	kwokValue      = "fake"
)

// nodeLeaseSeconds is kubelet's nodeLeaseDurationSeconds; a Lease is renewed in a quarter of it.
const nodeLeaseSeconds = 40

//go:embed kwok.yaml
var kwokStages []byte

// BuildKwok builds kwok into bin and returns its path. The first time on a machine takes a minute or two.
func BuildKwok(ctx context.Context, root string) (string, error) {
	path := filepath.Join(root, "bin", "kwok")
	build := exec.CommandContext(ctx, "go", "build", "-modfile=hack/tools/kwok/go.mod", "-trimpath", "-ldflags=-s -w", "-o", path, "sigs.k8s.io/kwok/cmd/kwok")
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building kwok: %w: %s", err, output)
	}
	return path, nil
}

// StartKwok starts kwok, which keeps the nodes of a fleet alive until it is killed. Its files and its log are in dir.
func StartKwok(plane *controlplane.ControlPlane, executable, dir string) (*node.Process, error) {
	kubeconfig, stages := filepath.Join(dir, "kwok.kubeconfig"), filepath.Join(dir, "kwok.yaml")
	if err := plane.WriteKubeconfig(kubeconfig); err != nil {
		return nil, err
	}
	if err := os.WriteFile(stages, kwokStages, 0o600); err != nil {
		return nil, fmt.Errorf("writing kwok's stages: %w", err)
	}
	return node.StartProcess(exec.Command(executable, "--kubeconfig="+kubeconfig, "--config="+stages,
		"--manage-nodes-with-annotation-selector="+kwokAnnotation+"="+kwokValue,
		fmt.Sprintf("--node-lease-duration-seconds=%d", nodeLeaseSeconds), "--node-port=0"), filepath.Join(dir, "kwok.log"))
}

// Alive waits until all nodes are ready, and kept alive by kwok.
func (f *Fleet) Alive(ctx context.Context, limit time.Duration) error {
	ready := 0
	err := wait.PollUntilContextTimeout(ctx, time.Second, limit, true, func(ctx context.Context) (bool, error) {
		var nodes corev1.NodeList
		if err := f.kube.List(ctx, &nodes); err != nil {
			return false, err
		}
		ready = 0
		for i := range nodes.Items {
			for _, condition := range nodes.Items[i].Status.Conditions {
				if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
					ready++
				}
			}
		}
		return ready == len(f.members), nil
	})
	if err != nil {
		return fmt.Errorf("waiting for %d nodes to be ready, %d are: %w", len(f.members), ready, err)
	}
	return nil
}
