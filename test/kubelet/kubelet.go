package kubelet

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/vaultpane/vaultpane/test/controlplane"
)

const (
	// period is the time between two looks at the pods.
	period = 200 * time.Millisecond
	// pause is the least time between two starts of the same container.
	pause = 2 * time.Second
)

// Options of Start.
type Options struct {
	// Plane is the cluster.
	Plane *controlplane.ControlPlane
	// Nodes are those whose pods are run. Something else keeps them ready. What runs on one that is removed is killed.
	Nodes []string
	// Bin is the folder of the executables, each named as the last word of its image's repository.
	Bin string
	// Dir is for what belongs to the pods, and for their logs.
	Dir string
	// Environment is added to what a pod's container has, and wins: where this machine is not the one that the pod expects.
	Environment func(*corev1.Pod) []string
	// Log takes what goes wrong.
	Log controlplane.Log
}

// Kubelet runs the pods of its nodes. Make it with Start.
type Kubelet struct {
	options Options
	client  kubernetes.Interface
	running map[types.UID]*running
	cancel  context.CancelFunc
	done    chan struct{}
}

// Start runs pods until Stop.
func Start(options Options) (*Kubelet, error) {
	config := options.Plane.Config()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("making the kubelet's client: %w", err)
	}
	if err := os.MkdirAll(options.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the kubelet's folder: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	k := &Kubelet{options: options, client: client, running: map[types.UID]*running{}, cancel: cancel, done: make(chan struct{})}
	go k.run(ctx)
	return k, nil
}

// Stop kills what runs. It writes nothing about it: the cluster goes next.
func (k *Kubelet) Stop() {
	k.cancel()
	<-k.done
	for _, r := range k.running {
		r.process.Kill()
	}
}

// Logs returns what the pods' containers have said, by the pods' names.
func (k *Kubelet) Logs() map[string]string {
	logs := map[string]string{}
	files, _ := filepath.Glob(filepath.Join(k.options.Dir, "*.log")) // the pattern is good
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			text = []byte(err.Error())
		}
		logs[strings.TrimSuffix(filepath.Base(file), ".log")] = string(text)
	}
	return logs
}

func (k *Kubelet) run(ctx context.Context) {
	defer close(k.done)
	_ = wait.PollUntilContextCancel(ctx, period, true, func(ctx context.Context) (bool, error) { // it ends with ctx
		if err := k.sync(ctx); err != nil && ctx.Err() == nil {
			k.options.Log("Kubelet: %v", err)
		}
		return false, nil
	})
}

// sync looks at all pods of the nodes, and ends what belongs to none of them any more.
func (k *Kubelet) sync(ctx context.Context) error {
	there := map[types.UID]bool{}
	for _, node := range k.options.Nodes {
		if _, err := k.client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{}); apierrors.IsNotFound(err) {
			continue // its machine is gone
		}
		onNode := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector("spec.nodeName", node).String()}
		pods, err := k.client.CoreV1().Pods(metav1.NamespaceAll).List(ctx, onNode)
		if err != nil {
			return fmt.Errorf("listing the pods of %s: %w", node, err)
		}
		for i := range pods.Items {
			pod := &pods.Items[i]
			there[pod.UID] = true
			if err := k.syncPod(ctx, pod); err != nil && !apierrors.IsConflict(err) && !apierrors.IsNotFound(err) {
				k.options.Log("Kubelet: pod %s: %v", pod.Name, err)
			}
		}
	}
	for uid, r := range k.running {
		if !there[uid] {
			r.process.Kill()
			delete(k.running, uid)
		}
	}
	return nil
}

// syncPod takes one step with a pod: it ends it, starts it, or writes its status.
func (k *Kubelet) syncPod(ctx context.Context, pod *corev1.Pod) error {
	r := k.running[pod.UID]
	switch {
	case pod.DeletionTimestamp != nil:
		return k.end(ctx, pod, r)
	case pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed:
		return nil
	case r == nil:
		return k.start(ctx, pod, 0)
	case r.process.Running():
		return k.tell(ctx, pod, corev1.PodRunning, r, r.ready(ctx))
	case pod.Spec.RestartPolicy == corev1.RestartPolicyAlways:
		if time.Since(r.started) < pause {
			return nil
		}
		return k.start(ctx, pod, r.restarts+1)
	case r.process.Succeeded():
		return k.tell(ctx, pod, corev1.PodSucceeded, r, false)
	default:
		return k.tell(ctx, pod, corev1.PodFailed, r, false)
	}
}

// end stops the process, and has the API server forget the pod.
func (k *Kubelet) end(ctx context.Context, pod *corev1.Pod, r *running) error {
	if r != nil && r.process.Running() {
		grace := time.Duration(*pod.Spec.TerminationGracePeriodSeconds) * time.Second
		if _, err := r.process.Stop(grace); err != nil {
			k.options.Log("Kubelet: pod %s: %v", pod.Name, err)
		}
	}
	delete(k.running, pod.UID)
	err := k.client.CoreV1().Pods(pod.Namespace).Delete(ctx, pod.Name, metav1.DeleteOptions{
		GracePeriodSeconds: new(int64(0)), Preconditions: &metav1.Preconditions{UID: &pod.UID},
	})
	if err != nil {
		return fmt.Errorf("removing it: %w", err)
	}
	return nil
}

// program is the executable of an image: vaultpane-agent for ghcr.io/vaultpane/vaultpane-agent:0.1.0.
func (k *Kubelet) program(image string) string {
	name := path.Base(image)
	name, _, _ = strings.Cut(name, "@")
	name, _, _ = strings.Cut(name, ":")
	return filepath.Join(k.options.Bin, name)
}
