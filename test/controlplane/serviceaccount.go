package controlplane

import (
	"context"
	"fmt"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// ServiceAccountConfig is a client of a service account that exists, with a token as kubelet gives it to a pod: bound to a
// pod on the given node, and so to the node, for an hour. It makes that pod, which never runs; who deletes the pod ends the
// token. An empty node gives a token that is bound to nothing.
func (c *ControlPlane) ServiceAccountConfig(ctx context.Context, namespace, name, node string) (*rest.Config, error) {
	token, err := c.serviceAccountToken(ctx, namespace, name, node)
	if err != nil {
		return nil, fmt.Errorf("making a token of the service account %s/%s for node %q: %w", namespace, name, node, err)
	}
	config := rest.AnonymousClientConfig(c.Config())
	config.BearerToken = token
	return config, nil
}

// WriteServiceAccountKubeconfig writes a kubeconfig for ServiceAccountConfig(ctx, namespace, name, node).
func (c *ControlPlane) WriteServiceAccountKubeconfig(ctx context.Context, path, namespace, name, node string) error {
	config, err := c.ServiceAccountConfig(ctx, namespace, name, node)
	if err != nil {
		return err
	}
	return writeKubeconfig(path, name, config)
}

// WritePodKubeconfig writes a kubeconfig with a token as kubelet gives it to a pod that has a node: of its service account,
// bound to the pod, for an hour.
func (c *ControlPlane) WritePodKubeconfig(ctx context.Context, path string, pod *corev1.Pod) error {
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return err
	}
	token, err := boundToken(ctx, client, pod)
	if err != nil {
		return fmt.Errorf("making a token for pod %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	config := rest.AnonymousClientConfig(c.Config())
	config.BearerToken = token
	return writeKubeconfig(path, pod.Spec.ServiceAccountName, config)
}

func (c *ControlPlane) serviceAccountToken(ctx context.Context, namespace, name, node string) (string, error) {
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		return "", err
	}
	if node == "" {
		return token(ctx, client, namespace, name, authenticationv1.TokenRequestSpec{})
	}
	pod, err := client.CoreV1().Pods(namespace).Create(ctx, podOn(node, name), metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return boundToken(ctx, client, pod)
}

func boundToken(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) (string, error) {
	return token(ctx, client, pod.Namespace, pod.Spec.ServiceAccountName, authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
	})
}

func token(ctx context.Context, client kubernetes.Interface, namespace, account string, spec authenticationv1.TokenRequestSpec) (string, error) {
	request := &authenticationv1.TokenRequest{Spec: spec}
	answer, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return answer.Status.Token, nil
}

func podOn(node, account string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{GenerateName: account + "-"},
		Spec: corev1.PodSpec{
			NodeName: node, ServiceAccountName: account,
			Containers: []corev1.Container{{Name: "pause", Image: "pause"}},
		},
	}
}
