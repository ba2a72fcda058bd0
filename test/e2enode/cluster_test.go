//go:build linux

package e2enode

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/linuxnode"
)

// The components of the chart that run as pods.
const (
	agentComponent      = "agent-linux"
	controllerComponent = "controller"
)

func (w *environment) get(t *testing.T, namespace, name string, object client.Object) {
	t.Helper()
	if err := w.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		t.Fatal(err)
	}
}

func (w *environment) pods(t *testing.T, component string) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	err := w.client.List(t.Context(), &pods, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/component": component})
	if err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// one is the only pod of a component.
func (w *environment) one(t *testing.T, component string) *corev1.Pod {
	t.Helper()
	pods := w.pods(t, component)
	if len(pods) != 1 {
		t.Fatalf("there are %d pods of %s, want 1", len(pods), component)
	}
	return &pods[0]
}

func ready(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// allReady waits until a component has exactly so many pods, all ready, and none of those named by UID.
func (w *environment) allReady(t *testing.T, component string, count int, except ...types.UID) {
	t.Helper()
	await.That(t, "all pods of "+component+" are new and ready", func() (bool, error) {
		pods := w.pods(t, component)
		for i := range pods {
			if !ready(&pods[i]) || slices.Contains(except, pods[i].UID) {
				return false, nil
			}
		}
		return len(pods) == count, nil
	})
}

func (w *environment) uids(t *testing.T, component string) []types.UID {
	t.Helper()
	var found []types.UID
	for _, pod := range w.pods(t, component) {
		found = append(found, pod.UID)
	}
	return found
}

// process is the one process of a pod's container.
func (w *environment) process(t *testing.T, pod *corev1.Pod) linuxnode.Process {
	t.Helper()
	processes, err := w.node.Processes(string(pod.UID))
	if err != nil {
		t.Fatal(err)
	}
	if len(processes) != 1 {
		t.Fatalf("the pod %s has processes %+v, want one", pod.Name, processes)
	}
	return processes[0]
}

// rotate makes a new version, asks for a look at it, and waits until the node has it and the cluster says so.
func (l *life) rotate(t *testing.T) {
	t.Helper()
	l.publish(t)
	l.holds(t)
	l.installed(t)
}

// publish makes a new version and asks for a look at it.
func (l *life) publish(t *testing.T) {
	t.Helper()
	made, err := l.shop.Rotate("web")
	if err != nil {
		t.Fatal(err)
	}
	l.thumbprint = made.Thumbprint
	l.versions++
	var web v1alpha1.ObservedCertificate
	l.get(t, "", "web", &web)
	before := web.DeepCopy()
	metav1.SetMetaDataAnnotation(&web.ObjectMeta, v1alpha1.RequestedAtAnnotation, time.Now().UTC().Format(time.RFC3339Nano))
	if err := l.client.Patch(t.Context(), &web, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// holds waits until the node's store has the newest version with its key.
func (l *life) holds(t *testing.T) {
	t.Helper()
	file := filepath.Join(l.node.Path(storePath), "LocalMachine", "MY", l.thumbprint)
	await.That(t, "the node's store has "+l.thumbprint, func() (bool, error) {
		for _, suffix := range []string{".pem", ".key"} {
			if _, err := os.Stat(file + suffix); err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

// installed waits until the certificate's status says that the node has the newest version.
func (l *life) installed(t *testing.T) {
	t.Helper()
	var web v1alpha1.ObservedCertificate
	await.That(t, "the certificate is Ready on 1/1 nodes", func() (bool, error) {
		err := l.client.Get(t.Context(), client.ObjectKey{Name: "web"}, &web)
		return meta.IsStatusConditionTrue(web.Status.Conditions, v1alpha1.ConditionReady) &&
			web.Status.Nodes.Summary == "1/1" && web.Status.Thumbprint == l.thumbprint, err
	})
}
