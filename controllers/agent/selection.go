package agent

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Selection is the ObservedCertificates that target one node. It implements engine.Certificates.
type Selection struct {
	// Client reads from the manager's cache.
	Client client.Client
	// Node is the name of the node.
	Node string
}

// errNoNode says that the Node does not exist at the moment: the machine is being removed, or its Node was deleted and kubelet
// will create it again. What targets it is unknown until then, so nothing is released.
var errNoNode = errors.New("the Node does not exist")

// Get returns an ObservedCertificate, nil where it does not exist, is being deleted, or does not target the node.
func (s Selection) Get(ctx context.Context, name string) (*v1alpha1.ObservedCertificate, error) {
	certificate := &v1alpha1.ObservedCertificate{}
	if err := s.Client.Get(ctx, types.NamespacedName{Name: name}, certificate); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	nodeLabels, err := s.nodeLabels(ctx)
	if err != nil && (certificate.Spec.NodeSelector != nil || !errors.Is(err, errNoNode)) {
		return nil, err
	}
	targets, err := targetsNode(certificate, nodeLabels)
	if err != nil {
		// The API server checks the selector; one that still cannot be read selects nothing.
		ctrl.LoggerFrom(ctx).Info("Cannot read the node selector", "cause", err.Error())
	}
	if !targets || !certificate.DeletionTimestamp.IsZero() {
		return nil, nil
	}
	return certificate, nil
}

// List returns the ObservedCertificates that target the node, those whose selector cannot be read, and all while the Node does not
// exist. They are the cache's own objects and must not be changed.
func (s Selection) List(ctx context.Context) ([]v1alpha1.ObservedCertificate, error) {
	var list v1alpha1.ObservedCertificateList
	if err := s.Client.List(ctx, &list, &client.ListOptions{UnsafeDisableDeepCopy: new(true)}); err != nil {
		return nil, fmt.Errorf("listing ObservedCertificates: %w", err)
	}
	nodeLabels, err := s.nodeLabels(ctx)
	anyNode := errors.Is(err, errNoNode)
	if err != nil && !anyNode {
		return nil, err
	}
	var selected []v1alpha1.ObservedCertificate
	for _, certificate := range list.Items {
		if !certificate.DeletionTimestamp.IsZero() {
			continue // it is released at once, even while finalizers remain
		}
		if targets, err := targetsNode(&certificate, nodeLabels); anyNode || err != nil || targets {
			selected = append(selected, certificate)
		}
	}
	return selected, nil
}

func (s Selection) nodeLabels(ctx context.Context) (labels.Set, error) {
	var node corev1.Node
	if err := s.Client.Get(ctx, types.NamespacedName{Name: s.Node}, &node); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, errNoNode
		}
		return nil, fmt.Errorf("reading Node %s: %w", s.Node, err)
	}
	return node.Labels, nil
}

// targetsNode reports whether an ObservedCertificate targets a node with these labels. Without a selector it targets every node.
func targetsNode(certificate *v1alpha1.ObservedCertificate, node labels.Set) (bool, error) {
	selector, err := certificate.Spec.NodeSelector.AsSelector()
	if err != nil {
		return false, fmt.Errorf("reading the node selector of %s: %w", certificate.Name, err)
	}
	return selector.Matches(node), nil
}
