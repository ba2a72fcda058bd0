package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// siteLabel tells the certificates of the sites of one cluster apart.
const siteLabel = "faults-site"

// writeLimit is how long a write may take while the API server is away.
const writeLimit = 3 * time.Second

// member is the front of a node of the cluster.
type member struct {
	cluster *cluster
	site    *site
	node    string
	proxy   *proxy // nil until the node has joined
}

func (m *member) kubeconfig() string { return filepath.Join(m.site.dir, "agent.kubeconfig") }

func (m *member) settings() []string {
	return m.site.machine.AgentSettings(m.node, m.kubeconfig(), m.site.vaults.CAFile())
}

func (m *member) write(ctx context.Context, certificates []*v1alpha1.ObservedCertificate) error {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	var present v1alpha1.ObservedCertificateList
	if err := m.cluster.kube.List(ctx, &present, client.MatchingLabels{siteLabel: m.site.short}); err != nil {
		return err
	}
	for _, one := range present.Items {
		wanted := func(other *v1alpha1.ObservedCertificate) bool { return other.Name == one.Name }
		if !slices.ContainsFunc(certificates, wanted) {
			if err := m.cluster.kube.Delete(ctx, &one); client.IgnoreNotFound(err) != nil {
				return err
			}
		}
	}
	for _, one := range certificates {
		if err := m.writeOne(ctx, one); err != nil {
			return err
		}
	}
	return nil
}

func (m *member) writeOne(ctx context.Context, wanted *v1alpha1.ObservedCertificate) error {
	return retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		var present v1alpha1.ObservedCertificate
		err := m.cluster.kube.Get(ctx, client.ObjectKeyFromObject(wanted), &present)
		spec := wanted.Spec
		spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.io/hostname": v1alpha1.LabelValue(m.node)}}
		if apierrors.IsNotFound(err) {
			fresh := &v1alpha1.ObservedCertificate{Spec: spec, ObjectMeta: metav1.ObjectMeta{
				Name: wanted.Name, Annotations: wanted.Annotations, Labels: map[string]string{siteLabel: m.site.short}}}
			return m.cluster.kube.Create(ctx, fresh)
		}
		if err != nil {
			return err
		}
		if equality.Semantic.DeepEqual(present.Spec, spec) && maps.Equal(present.Annotations, wanted.Annotations) {
			return nil
		}
		present.Spec, present.Annotations = spec, wanted.Annotations
		return m.cluster.kube.Update(ctx, &present)
	})
}

func (m *member) state(ctx context.Context) (v1alpha1.NodeCertificateState, error) {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	var state v1alpha1.NodeCertificateState
	err := m.cluster.kube.Get(ctx, client.ObjectKey{Name: m.node}, &state)
	return state, err
}

// differs compares the controller's roll-up with what the node reports.
func (m *member) differs(ctx context.Context, certificates []*v1alpha1.ObservedCertificate) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, writeLimit)
	defer cancel()
	for _, one := range certificates {
		var present v1alpha1.ObservedCertificate
		if err := m.cluster.kube.Get(ctx, client.ObjectKeyFromObject(one), &present); err != nil {
			return "", err
		}
		status := present.Status
		if !meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionReady) || status.ObservedGeneration != present.Generation ||
			status.Thumbprint != m.site.vault.Thumbprint(one.Name) || status.Nodes.Matched != 1 || status.Nodes.Installed != 1 {
			return fmt.Sprintf("the status of %s is %+v", one.Name, status), nil
		}
	}
	return "", nil
}
