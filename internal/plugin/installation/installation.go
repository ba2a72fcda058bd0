// Package installation finds Vaultpane in a cluster and answers questions about it from the objects that the chart or config/ created:
// which nodes run the agent, which vaults they may contact, which versions run, and how a setting is changed.
package installation

import (
	"context"
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
)

const (
	// DefaultNamespace is where the documentation installs Vaultpane.
	DefaultNamespace = "vaultpane-system"
	// Selector selects the objects of the chart and of config/.
	Selector = "app.kubernetes.io/name=vaultpane"
	// Component is the label that tells agents and controller apart.
	Component = "app.kubernetes.io/component"
)

// Installation is what was found. The zero value is a cluster without Vaultpane.
type Installation struct {
	// Namespace is where the agents and the controller are.
	Namespace string
	// Agents are the DaemonSets of the agents, by name.
	Agents []appsv1.DaemonSet
	// Controller is the Deployment of the controller; nil if there is none.
	Controller *appsv1.Deployment
}

// Find reads the DaemonSets and Deployments of Vaultpane in a namespace. If namespace is empty, it looks in all, and only in
// DefaultNamespace if the reader may not list all. An error is the API server's.
func Find(ctx context.Context, client *cluster.Client, namespace string) (Installation, error) {
	found, err := find(ctx, client, namespace)
	if namespace == "" && apierrors.IsForbidden(err) {
		return find(ctx, client, DefaultNamespace)
	}
	return found, err
}

func find(ctx context.Context, client *cluster.Client, namespace string) (Installation, error) {
	found := Installation{Namespace: namespace}
	options := metav1.ListOptions{LabelSelector: Selector}
	err := cluster.List(ctx, client, cluster.DaemonSets, namespace, options, func(set *appsv1.DaemonSet) error {
		found.Agents = append(found.Agents, *set)
		return nil
	})
	if err != nil {
		return found, failed(cluster.DaemonSets, namespace, err)
	}
	err = cluster.List(ctx, client, cluster.Deployments, namespace, options, func(deployment *appsv1.Deployment) error {
		if deployment.Labels[Component] == "controller" && found.Controller == nil {
			found.Controller = deployment.DeepCopy()
		}
		return nil
	})
	if err != nil {
		return found, failed(cluster.Deployments, namespace, err)
	}
	found.choose()
	return found, nil
}

// choose sets the namespace, and leaves out agents of another one: there is one installation in a cluster.
func (i *Installation) choose() {
	switch {
	case i.Namespace != "":
	case i.Controller != nil:
		i.Namespace = i.Controller.Namespace
	case len(i.Agents) > 0:
		i.Namespace = i.Agents[0].Namespace
	default:
		i.Namespace = DefaultNamespace
	}
	i.Agents = slices.DeleteFunc(i.Agents, func(set appsv1.DaemonSet) bool { return set.Namespace != i.Namespace })
	slices.SortFunc(i.Agents, func(a, b appsv1.DaemonSet) int { return strings.Compare(a.Name, b.Name) })
}

func failed(kind schema.GroupVersionResource, namespace string, err error) error {
	where := "all namespaces"
	if namespace != "" {
		where = "namespace " + namespace
	}
	return fmt.Errorf("listing %s in %s: %w", kind.Resource, where, err)
}

// Container returns the first container of a pod template, which is the agent or the controller.
func Container(template *corev1.PodTemplateSpec) corev1.Container {
	if len(template.Spec.Containers) == 0 {
		return corev1.Container{}
	}
	return template.Spec.Containers[0]
}
