package kubelet

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/test/internal/ports"
	"github.com/vaultpane/vaultpane/test/node"
)

// probeLimit is how long a response to a probe may take.
const probeLimit = time.Second

// running is the process of a pod, which may have ended.
type running struct {
	process  *node.Process
	started  time.Time
	restarts int32
	probe    string // URL of the readiness probe; empty where the pod has none
	limit    int32  // of failures in a row, at which the pod is not ready any more
	failures int32  // of the probe, in a row
	answered bool   // the pod is ready
}

// start starts a pod's process as its container says.
func (k *Kubelet) start(ctx context.Context, pod *corev1.Pod, restarts int32) error {
	if len(pod.Spec.Containers) != 1 || len(pod.Spec.InitContainers) != 0 {
		return fmt.Errorf("it has %d containers, must have one", len(pod.Spec.Containers)+len(pod.Spec.InitContainers))
	}
	container := &pod.Spec.Containers[0]
	dir := filepath.Join(k.options.Dir, string(pod.UID))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making its folder: %w", err)
	}
	mounted, err := k.mount(ctx, pod, dir)
	if err != nil {
		return err
	}
	environment, err := k.environment(ctx, pod, container)
	if err != nil {
		return err
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := k.options.Plane.WritePodKubeconfig(ctx, kubeconfig, pod); err != nil {
		return err
	}
	health, err := ports.FreeAddress()
	if err != nil {
		return err
	}
	command := exec.Command(k.program(container.Image), mounted.all(container.Args)...)
	command.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}, mounted.all(environment)...)
	command.Env = append(command.Env, "VAULTPANE_KUBECONFIG="+kubeconfig,
		"VAULTPANE_HEALTH_PROBE_BIND_ADDRESS="+health, "VAULTPANE_METRICS_BIND_ADDRESS=0")
	command.Env = append(command.Env, k.options.Environment(pod)...)
	process, err := node.StartProcess(command, filepath.Join(k.options.Dir, pod.Name+".log"))
	if err != nil {
		return err
	}
	started := &running{process: process, started: time.Now(), restarts: restarts, probe: probeURL(container, health)}
	if started.probe != "" {
		started.limit = container.ReadinessProbe.FailureThreshold
	}
	k.running[pod.UID] = started
	return nil
}

// probeURL is the URL of the container's readiness probe on this machine.
func probeURL(container *corev1.Container, health string) string {
	if container.ReadinessProbe == nil || container.ReadinessProbe.HTTPGet == nil {
		return ""
	}
	return "http://" + health + container.ReadinessProbe.HTTPGet.Path
}

// ready runs the probe, where there is one. A ready pod stays ready until the probe has failed as often in a row as its
// threshold: on a busy machine, responses can be late.
func (r *running) ready(ctx context.Context) bool {
	if r.probe == "" {
		return true
	}
	if r.answers(ctx) {
		r.failures, r.answered = 0, true
		return true
	}
	r.failures++
	r.answered = r.answered && r.failures < r.limit
	return r.answered
}

func (r *running) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.probe, nil)
	if err != nil {
		return false
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // the status is enough
	return answer.StatusCode == http.StatusOK
}
