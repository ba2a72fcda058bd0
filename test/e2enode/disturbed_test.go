//go:build linux

package e2enode

import (
	"slices"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/linuxnode"
)

// probes stops the process of a controller, so that it does not respond any more: the readiness probe takes the pod out of service,
// the liveness probe ends the container.
func (l *life) probes(t *testing.T) {
	pod := l.pods(t, controllerComponent)[0]
	if err := syscall.Kill(l.process(t, &pod).PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	key := client.ObjectKeyFromObject(&pod)
	var now corev1.Pod
	await.That(t, "the pod that does not respond is not ready", func() (bool, error) {
		err := l.client.Get(t.Context(), key, &now)
		return !ready(&now), err
	})
	await.That(t, "its container was restarted and is ready", func() (bool, error) {
		err := l.client.Get(t.Context(), key, &now)
		return ready(&now) && now.Status.ContainerStatuses[0].RestartCount == 1, err
	})
	l.rotate(t)
}

func (l *life) upgrade(t *testing.T) {
	agents, controllers := l.uids(t, agentComponent), l.uids(t, controllerComponent)
	l.deploy(t, "upgrade", secondTag)
	l.allReady(t, agentComponent, 1, agents...)
	l.allReady(t, controllerComponent, 2, controllers...)
	l.rotate(t)
}

// evict evicts the agent, and both controllers: the second not before the first is replaced.
func (l *life) evict(t *testing.T) {
	agent := l.one(t, agentComponent)
	if err := l.tryEvict(t, agent); err != nil {
		t.Fatal(err)
	}
	l.allReady(t, agentComponent, 1, agent.UID)
	before := l.uids(t, controllerComponent)
	controllers := l.pods(t, controllerComponent)
	if err := l.tryEvict(t, &controllers[0]); err != nil {
		t.Fatal(err)
	}
	if err := l.tryEvict(t, &controllers[1]); !apierrors.IsTooManyRequests(err) {
		t.Errorf("the second controller was evicted with the first: %v", err)
	}
	await.That(t, "the second controller is evicted", func() (bool, error) {
		err := l.tryEvict(t, &controllers[1])
		if apierrors.IsTooManyRequests(err) {
			return false, nil
		}
		return err == nil, err
	})
	l.allReady(t, controllerComponent, 2, before...)
	l.rotate(t)
}

func (l *life) tryEvict(t *testing.T, pod *corev1.Pod) error {
	eviction := &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Namespace: pod.Namespace, Name: pod.Name}}
	return l.client.SubResource("eviction").Create(t.Context(), pod, eviction)
}

// kubeletRestarts kills kubelet. A new kubelet has no tokens in its memory and requests new ones, which is how a renewal is seen
// before the ten minutes of the shortest lifetime are over.
func (l *life) kubeletRestarts(t *testing.T) {
	agent := l.one(t, agentComponent)
	process := l.process(t, agent)
	token := l.token(t, process, azureTokenFile)
	before := l.processes(t)
	if err := l.node.StopKubelet(); err != nil {
		t.Fatal(err)
	}
	l.rotate(t)
	if err := l.node.StartKubelet(); err != nil {
		t.Fatal(err)
	}
	l.nodeReady(t)
	l.renewed(t, token)
	if after := l.processes(t); !slices.Equal(before, after) {
		t.Errorf("the restart of kubelet changed the processes from %v to %v", before, after)
	}
}

// powerFails ends all that runs on the node at once. The store is as it was, and a version that came meanwhile is installed.
func (l *life) powerFails(t *testing.T) {
	processes := l.processes(t)
	pods := append(l.uids(t, agentComponent), l.uids(t, controllerComponent)...)
	if err := l.node.Crash(); err != nil {
		t.Fatal(err)
	}
	l.publish(t)
	if err := l.node.Boot(t.Context()); err != nil {
		t.Fatal(err)
	}
	l.holds(t)
	l.nodeReady(t)
	l.allReady(t, agentComponent, 1)
	l.allReady(t, controllerComponent, 2)
	l.installed(t)
	for _, pid := range l.processes(t) {
		if slices.Contains(processes, pid) {
			t.Errorf("process %d was there before the power failure", pid)
		}
	}
	if after := append(l.uids(t, agentComponent), l.uids(t, controllerComponent)...); !slices.Equal(pods, after) {
		t.Errorf("the node's pods were %v, and are %v", pods, after)
	}
	l.rotate(t)
}

// processes are the process ids of agent and controllers.
func (l *life) processes(t *testing.T) []int {
	t.Helper()
	var found []int
	for _, pod := range append(l.pods(t, agentComponent), l.pods(t, controllerComponent)...) {
		found = append(found, l.process(t, &pod).PID)
	}
	slices.Sort(found)
	return found
}

// nodeReady waits for a report of kubelet that is newer than this call.
func (l *life) nodeReady(t *testing.T) {
	t.Helper()
	before := metav1.Now()
	await.That(t, "kubelet reports that the node is ready", func() (bool, error) {
		var node corev1.Node
		err := l.client.Get(t.Context(), client.ObjectKey{Name: linuxnode.Name}, &node)
		return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
			return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue && c.LastHeartbeatTime.After(before.Time)
		}), err
	})
}
