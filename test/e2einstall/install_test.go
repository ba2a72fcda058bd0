package e2einstall

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
)

const (
	agent      = "agent"
	controller = "controller"
)

func (l *lifecycle) install(t *testing.T) {
	t.Log(l.helm(t, "install", release, l.previous, "--values="+l.file, "--wait", "--timeout="+helmLimit))
	var agents appsv1.DaemonSet
	l.get(t, namespace, "vaultpane-agent", &agents)
	if got := agents.Status; got.NumberReady != 4 || got.DesiredNumberScheduled != 4 {
		t.Errorf("of %d agents %d are ready, want 4 on the 4 Windows nodes", got.DesiredNumberScheduled, got.NumberReady)
	}
	var controllers appsv1.Deployment
	l.get(t, namespace, "vaultpane-controller", &controllers)
	if got := controllers.Status; got.ReadyReplicas != 2 {
		t.Errorf("%d controllers are ready, want 2", got.ReadyReplicas)
	}
}

func (l *lifecycle) placed(t *testing.T) {
	perNode := map[string]int{}
	for _, pod := range l.pods(t, agent) {
		perNode[pod.Spec.NodeName]++
	}
	for _, node := range append([]string{windows, leaving}, simulated...) {
		if perNode[node] != 1 {
			t.Errorf("%d agents on %s, want 1", perNode[node], node)
		}
		delete(perNode, node)
	}
	if len(perNode) != 0 {
		t.Errorf("agents are elsewhere too: %v", perNode)
	}
	for _, pod := range l.pods(t, controller) {
		if pod.Spec.NodeName != linux {
			t.Errorf("the controller %s is on %s", pod.Name, pod.Spec.NodeName)
		}
	}
	for _, node := range simulated { // so the agents tolerate it
		if !l.tainted(t, node) {
			t.Errorf("the startup taint of %s was removed, although no agent reported for the node", node)
		}
	}
}

func (l *lifecycle) mainJob(t *testing.T) {
	l.installedEverywhere(t, "2/2")
	for _, node := range []string{windows, leaving} {
		l.holds(t, node)
		await.That(t, "the startup taint of "+node+" is off", func() (bool, error) { return !l.tainted(t, node), nil })
	}
	for _, node := range simulated {
		if !l.tainted(t, node) {
			t.Errorf("the startup taint of %s was removed, although no agent reported for the node", node)
		}
	}
}

// nodeGoes looks without the controllers, which would remove the state as well: it is the garbage collector's work.
func (l *lifecycle) nodeGoes(t *testing.T) {
	l.scale(t, 0)
	await.That(t, "no controller is left", func() (bool, error) { return len(l.pods(t, controller)) == 0, nil })
	state := &v1alpha1.NodeCertificateState{}
	l.get(t, "", leaving, state)
	if err := l.client.Delete(t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: leaving}}); err != nil {
		t.Fatal(err)
	}
	await.That(t, "the node's state is gone", func() (bool, error) {
		err := l.client.Get(t.Context(), client.ObjectKey{Name: leaving}, state)
		return err != nil, client.IgnoreNotFound(err)
	})
	l.get(t, "", windows, state)
	// the pod garbage collector does it too, after a minute
	podsThere := client.MatchingFields{"spec.nodeName": leaving}
	if err := l.client.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(namespace), podsThere, client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	l.scale(t, 2)
	l.installedEverywhere(t, "1/1")
}

// installedEverywhere waits until the certificate is on all nodes that should have it, as its status says.
func (l *lifecycle) installedEverywhere(t *testing.T, nodes string) {
	t.Helper()
	l.isInstalled(t, "web", nodes)
}

func (l *lifecycle) isInstalled(t *testing.T, name, nodes string) {
	t.Helper()
	var certificate v1alpha1.ObservedCertificate
	await.That(t, "the certificate "+name+" is Ready on "+nodes, func() (bool, error) {
		err := l.client.Get(t.Context(), client.ObjectKey{Name: name}, &certificate)
		status := certificate.Status
		return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) &&
			status.Nodes.Summary == nodes && status.Thumbprint == l.thumbprint, err
	})
}

// holds reports whether a machine's store has the certificate with its key.
func (l *lifecycle) holds(t *testing.T, node string) {
	t.Helper()
	certificates, err := l.machine(node).List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, certificate := range certificates {
		if certificate.Thumbprint == l.thumbprint && certificate.Key == "Present" && strings.EqualFold(certificate.Store, `LocalMachine\MY`) {
			return
		}
	}
	t.Errorf("the store of %s holds %+v, want %s", node, certificates, l.thumbprint)
}

func (l *lifecycle) tainted(t *testing.T, name string) bool {
	t.Helper()
	var node corev1.Node
	l.get(t, "", name, &node)
	for _, taint := range node.Spec.Taints {
		if taint.Key == v1alpha1.StartupTaintKey {
			return true
		}
	}
	return false
}

func (l *lifecycle) get(t *testing.T, namespace, name string, object client.Object) {
	t.Helper()
	if err := l.client.Get(t.Context(), client.ObjectKey{Namespace: namespace, Name: name}, object); err != nil {
		t.Fatal(err)
	}
}

// pods are the pods of a component of the chart.
func (l *lifecycle) pods(t *testing.T, component string) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	err := l.client.List(t.Context(), &pods, client.InNamespace(namespace), client.MatchingLabels{"app.kubernetes.io/component": component})
	if err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

func (l *lifecycle) scale(t *testing.T, replicas int32) {
	t.Helper()
	var controllers appsv1.Deployment
	l.get(t, namespace, "vaultpane-controller", &controllers)
	before := controllers.DeepCopy()
	controllers.Spec.Replicas = &replicas
	if err := l.client.Patch(t.Context(), &controllers, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}
