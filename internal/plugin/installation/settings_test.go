package installation_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/installation"
)

func TestAllowingAVaultKeepsTheOthers(t *testing.T) {
	for _, test := range []struct{ name, present, want string }{
		{"none so far", "", "kubectl -n ns set env daemonset --selector app.kubernetes.io/name=vaultpane VAULTPANE_ALLOWED_VAULT_HOSTS=new.example.com"},
		{"two so far", "a.example.com, .example.org", "kubectl -n ns set env daemonset --selector app.kubernetes.io/name=vaultpane VAULTPANE_ALLOWED_VAULT_HOSTS=a.example.com,.example.org,new.example.com"},
	} {
		t.Run(test.name, func(t *testing.T) {
			agent := corev1.Container{Name: "agent", Env: []corev1.EnvVar{{Name: "VAULTPANE_ALLOWED_VAULT_HOSTS", Value: test.present}}}
			set := appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{agent}}}}}
			found := installation.Installation{Namespace: "ns", Agents: []appsv1.DaemonSet{set}}
			if got := found.AllowVault("new.example.com"); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	byHelm := appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"app.kubernetes.io/managed-by": "Helm"}, Annotations: map[string]string{"meta.helm.sh/release-name": "vp"}},
		Spec: appsv1.DaemonSetSpec{Template: corev1.PodTemplateSpec{Spec: corev1.PodSpec{Containers: []corev1.Container{{Args: []string{"--allowed-vault-hosts=a.example.com"}}}}}}}
	found := installation.Installation{Namespace: "ns", Agents: []appsv1.DaemonSet{byHelm}}
	const want = "helm upgrade vp charts/vaultpane --namespace ns --reset-then-reuse-values --set 'agent.allowedVaultHosts={a.example.com,new.example.com}'"
	if got := found.AllowVault("new.example.com"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
