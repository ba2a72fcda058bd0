package controlplane

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/vaultpane/vaultpane/test/await"
)

// TestControllers runs only where the binaries exist: make e2e-install builds them.
func TestControllers(t *testing.T) {
	SkipWithout(t)
	if !haveControllers(t) {
		t.Skip("no kube-controller-manager and kube-scheduler here: go run ./test/controlplane/cmd controllers gets them")
	}
	c, err := Start(t.Context(), Options{Controllers: true, Log: t.Logf})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	client := clientFor(t, c.Config())
	if _, err := client.CoreV1().Nodes().Create(t.Context(), readyNode(), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.AppsV1().Deployments("default").Create(t.Context(), deployment(), metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	pod := scheduledPod(t, client)
	if pod.Spec.NodeName != "akslinux000000" || pod.Spec.ServiceAccountName != "default" {
		t.Errorf("the pod is on node %q with service account %q", pod.Spec.NodeName, pod.Spec.ServiceAccountName)
	}
}

func haveControllers(t *testing.T) bool {
	t.Helper()
	dir, err := cacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return Assets{Dir: dir + controllersSuffix}.check(controllerBinaries) == nil
}

func readyNode() *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "akslinux000000"},
		Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("10")},
			Conditions:  []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastHeartbeatTime: metav1.Now()}},
		},
	}
}

func deployment() *appsv1.Deployment {
	labels := map[string]string{"app": "web"}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "web"},
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "web", Image: "web"}}},
			},
		},
	}
}

func scheduledPod(t *testing.T, client kubernetes.Interface) corev1.Pod {
	t.Helper()
	var pods *corev1.PodList
	await.That(t, "there is a pod with a node", func() (bool, error) {
		var err error
		pods, err = client.CoreV1().Pods("default").List(t.Context(), metav1.ListOptions{})
		return err == nil && len(pods.Items) == 1 && pods.Items[0].Spec.NodeName != "", err
	})
	return pods.Items[0]
}
