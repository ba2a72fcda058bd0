package doctor

import (
	"context"
	"slices"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/schemadiff"
)

// Reader reads a Snapshot.
type Reader struct {
	Cluster *cluster.Client
	// Resolve looks up the name of a host on this machine.
	Resolve func(ctx context.Context, host string) error
	// Version is the version of this command.
	Version string
	// Namespace is the namespace of Vaultpane; empty to look for it.
	Namespace string
	// Node is the node that Only will choose; empty for none.
	Node string
}

// Read reads everything. What cannot be read is in Unread; the error is about a cluster that cannot be reached at all.
func (r *Reader) Read(ctx context.Context) (*Snapshot, error) {
	s := &Snapshot{Client: r.Version, Chosen: r.Namespace != "", Unread: map[Source]error{}}
	var err error
	if s.Server, s.Local, err = r.Cluster.Clock(ctx); err != nil {
		if err := r.Cluster.Raw(ctx, "version", &s.Kubernetes); err != nil {
			return nil, err
		}
		s.Unread[Clock], s.Server, s.Local = err, time.Now(), time.Now()
	}
	if s.Installation, err = installation.Find(ctx, r.Cluster, r.Namespace); err != nil {
		s.Unread[Workloads] = err
	}
	if s.Namespace == "" {
		s.Namespace = installation.DefaultNamespace
	}
	for _, one := range []struct {
		source Source
		read   func(context.Context, *Snapshot) error
	}{
		{Kubernetes, func(ctx context.Context, s *Snapshot) error { return r.Cluster.Raw(ctx, "version", &s.Kubernetes) }},
		{CRDs, r.readCRDs}, {Nodes, r.readNodes}, {Certificates, r.readCertificates}, {States, r.readStates},
		{Pods, r.readPods}, {Leases, r.readLeases}, {Namespace, r.readNamespace}, {ServiceAccounts, r.readAccounts},
		{Policies, r.readPolicies}, {PolicyBindings, r.readBindings}, {Webhooks, r.readWebhooks}, {Events, r.readEvents},
	} {
		if err := one.read(ctx, s); err != nil {
			s.Unread[one.source] = err
		}
	}
	r.resolve(ctx, s)
	return s, ctx.Err()
}

func (r *Reader) readCRDs(ctx context.Context, s *Snapshot) error {
	s.CRDs = map[string]*apiextensionsv1.CustomResourceDefinition{}
	for _, own := range schemadiff.Own() {
		crd, err := get[apiextensionsv1.CustomResourceDefinition](ctx, r.Cluster, cluster.CRDs, own.Name)
		if err != nil {
			return err
		}
		if crd != nil {
			s.CRDs[own.Name] = crd
		}
	}
	return nil
}

// get reads an object of the cluster, nil if it does not exist.
func get[T any](ctx context.Context, client *cluster.Client, kind schema.GroupVersionResource, name string) (*T, error) {
	object := new(T)
	err := client.Get(ctx, kind, "", name, object)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return object, err
}

func (r *Reader) readNodes(ctx context.Context, s *Snapshot) error {
	return cluster.List(ctx, r.Cluster, cluster.Nodes, "", metav1.ListOptions{}, func(node *corev1.Node) error {
		node.Status.Images, node.ManagedFields, node.Annotations = nil, nil, nil // most of its size
		s.Nodes = append(s.Nodes, *node)
		return nil
	})
}

func (r *Reader) readCertificates(ctx context.Context, s *Snapshot) error {
	return cluster.List(ctx, r.Cluster, cluster.ObservedCertificates, "", metav1.ListOptions{}, func(certificate *v1alpha1.ObservedCertificate) error {
		certificate.ManagedFields = nil
		s.Certificates = append(s.Certificates, *certificate)
		return nil
	})
}

// readStates keeps of each state what checks need. It follows readNodes: the entries of a node with the startup taint are kept.
func (r *Reader) readStates(ctx context.Context, s *Snapshot) error {
	tainted := map[string]bool{}
	for _, node := range s.Nodes {
		tainted[node.Name] = slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return v1alpha1.IsStartupTaintKey(taint.Key) })
	}
	examples := map[groupKey]bool{}
	return cluster.List(ctx, r.Cluster, cluster.NodeCertificateStates, "", metav1.ListOptions{}, func(state *v1alpha1.NodeCertificateState) error {
		s.Reports = append(s.Reports, s.reportOf(state, tainted[state.Name] || state.Name == r.Node, examples))
		return nil
	})
}

func (r *Reader) readPods(ctx context.Context, s *Snapshot) error {
	return cluster.List(ctx, r.Cluster, cluster.Pods, s.Namespace, metav1.ListOptions{LabelSelector: installation.Selector}, func(pod *corev1.Pod) error {
		pod.ManagedFields = nil
		s.Pods = append(s.Pods, *pod)
		return nil
	})
}

func (r *Reader) readLeases(ctx context.Context, s *Snapshot) error {
	return cluster.List(ctx, r.Cluster, cluster.Leases, s.Namespace, metav1.ListOptions{}, func(lease *coordinationv1.Lease) error {
		s.Leases = append(s.Leases, *lease) // managedFields are used
		return nil
	})
}

func (r *Reader) readNamespace(ctx context.Context, s *Snapshot) (err error) {
	s.Home, err = get[corev1.Namespace](ctx, r.Cluster, cluster.Namespaces, s.Namespace)
	return err
}

func (r *Reader) readAccounts(ctx context.Context, s *Snapshot) error {
	s.Accounts = map[string]*corev1.ServiceAccount{}
	return cluster.List(ctx, r.Cluster, cluster.ServiceAccounts, s.Namespace, metav1.ListOptions{}, func(account *corev1.ServiceAccount) error {
		s.Accounts[account.Name] = account.DeepCopy()
		return nil
	})
}

func (r *Reader) readPolicies(ctx context.Context, s *Snapshot) error {
	s.Policies = map[string]*admissionv1.ValidatingAdmissionPolicy{}
	for _, wanted := range agentPolicies {
		policy, err := get[admissionv1.ValidatingAdmissionPolicy](ctx, r.Cluster, cluster.Policies, wanted.name)
		if err != nil {
			return err
		}
		s.Policies[wanted.name] = policy
	}
	return nil
}

func (r *Reader) readBindings(ctx context.Context, s *Snapshot) error {
	s.Bindings = map[string]*admissionv1.ValidatingAdmissionPolicyBinding{}
	for _, wanted := range agentPolicies {
		binding, err := get[admissionv1.ValidatingAdmissionPolicyBinding](ctx, r.Cluster, cluster.PolicyBindings, wanted.name)
		if err != nil {
			return err
		}
		s.Bindings[wanted.name] = binding
	}
	return nil
}

func (r *Reader) readWebhooks(ctx context.Context, s *Snapshot) error {
	return cluster.List(ctx, r.Cluster, cluster.MutatingWebhooks, "", metav1.ListOptions{}, func(webhook *metav1.PartialObjectMetadata) error {
		s.Webhooks = append(s.Webhooks, webhook.Name)
		return nil
	})
}

// readEvents reads warnings of the namespace, and those that agents and controller wrote about nodes and certificates.
func (r *Reader) readEvents(ctx context.Context, s *Snapshot) error {
	keep := func(event *corev1.Event) error {
		event.ManagedFields = nil
		s.Events = append(s.Events, *event)
		return nil
	}
	if err := cluster.List(ctx, r.Cluster, cluster.Events, s.Namespace, metav1.ListOptions{FieldSelector: "type=Warning"}, keep); err != nil {
		return err
	}
	for _, reporter := range []string{"vaultpane-agent", "vaultpane-controller"} {
		options := metav1.ListOptions{FieldSelector: "type=Warning,reportingComponent=" + reporter}
		if err := cluster.List(ctx, r.Cluster, cluster.Events, corev1.NamespaceDefault, options, keep); err != nil {
			return err
		}
	}
	return nil
}
