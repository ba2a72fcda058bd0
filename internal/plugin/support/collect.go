package support

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
)

// File is a file of the archive.
type File struct {
	Name string
	// About says in a few words what is in it.
	About   string
	Content []byte
}

// Missing is what could not be collected.
type Missing struct {
	What string
	Why  error
}

// Collector reads a cluster.
type Collector struct {
	Cluster *cluster.Client
	// Namespace is that of Vaultpane.
	Namespace string
}

// source is a kind of objects that is collected.
type source struct {
	file, about string
	kind        schema.GroupVersionResource
	objectKind  string
	namespace   string
	options     metav1.ListOptions
	keep        func(map[string]any) map[string]any // nil for clean; it may return nil for an object that is left out
}

func (c *Collector) sources() []source {
	ours := metav1.ListOptions{LabelSelector: installation.Selector}
	warnings := func(reporter string) metav1.ListOptions {
		return metav1.ListOptions{FieldSelector: "reportingComponent=" + reporter}
	}
	return []source{
		{file: "observedcertificates", about: "all ObservedCertificates with their status", kind: cluster.ObservedCertificates, objectKind: "ObservedCertificate"},
		{file: "nodecertificatestates", about: "what each node's agent reports", kind: cluster.NodeCertificateStates, objectKind: "NodeCertificateState"},
		{file: "nodes", about: "nodes: labels, taints, conditions, versions", kind: cluster.Nodes, objectKind: "Node", keep: nodeFields},
		{file: "namespaces", about: "the namespace", kind: cluster.Namespaces, objectKind: "Namespace", options: metav1.ListOptions{FieldSelector: "metadata.name=" + c.Namespace}},
		{file: "daemonsets", about: "DaemonSets of the agents", kind: cluster.DaemonSets, objectKind: "DaemonSet", namespace: c.Namespace, options: ours},
		{file: "deployments", about: "Deployment of the controller", kind: cluster.Deployments, objectKind: "Deployment", namespace: c.Namespace, options: ours},
		{file: "pods", about: "pods of agents and controller", kind: cluster.Pods, objectKind: "Pod", namespace: c.Namespace, options: ours},
		{file: "serviceaccounts", about: "service accounts of the namespace", kind: cluster.ServiceAccounts, objectKind: "ServiceAccount", namespace: c.Namespace},
		{file: "configmaps", about: "ConfigMaps of the chart", kind: cluster.ConfigMaps, objectKind: "ConfigMap", namespace: c.Namespace, options: ours},
		{file: "leases", about: "Leases of agents and controller", kind: cluster.Leases, objectKind: "Lease", namespace: c.Namespace},
		{file: "customresourcedefinitions", about: "the CRDs", kind: cluster.CRDs, objectKind: "CustomResourceDefinition", keep: ofOurGroup},
		{file: "validatingadmissionpolicies", about: "policies of the chart", kind: cluster.Policies, objectKind: "ValidatingAdmissionPolicy", keep: ofOurName},
		{file: "validatingadmissionpolicybindings", about: "what puts them into force", kind: cluster.PolicyBindings, objectKind: "ValidatingAdmissionPolicyBinding", keep: ofOurName},
		{file: "events-namespace", about: "events of the namespace", kind: cluster.Events, objectKind: "Event", namespace: c.Namespace},
		{file: "events-agents", about: "events that agents wrote about nodes", kind: cluster.Events, objectKind: "Event", namespace: metav1.NamespaceDefault, options: warnings("vaultpane-agent")},
		{file: "events-controller", about: "events that the controller wrote", kind: cluster.Events, objectKind: "Event", namespace: metav1.NamespaceDefault, options: warnings("vaultpane-controller")},
	}
}

// Collect reads everything, in a fixed order. What cannot be read is returned apart.
func (c *Collector) Collect(ctx context.Context) (files []File, missing []Missing) {
	for _, one := range c.sources() {
		file, err := c.objects(ctx, one)
		if err != nil {
			missing = append(missing, Missing{one.about, err})
			continue
		}
		files = append(files, file)
	}
	logs, without := c.logs(ctx)
	return append(files, logs...), append(missing, without...)
}

// objects reads the objects of a source into a file, by namespace and name.
func (c *Collector) objects(ctx context.Context, from source) (File, error) {
	var items []map[string]any
	err := cluster.List(ctx, c.Cluster, from.kind, from.namespace, from.options, func(object *map[string]any) error {
		(*object)["apiVersion"], (*object)["kind"] = from.kind.GroupVersion().String(), from.objectKind
		kept := *object
		if from.keep != nil {
			kept = from.keep(kept)
		}
		if kept != nil {
			items = append(items, clean(kept))
		}
		return nil
	})
	if err != nil {
		return File{}, err
	}
	slices.SortFunc(items, func(a, b map[string]any) int {
		return cmp.Or(cmp.Compare(field(a, "namespace"), field(b, "namespace")), cmp.Compare(field(a, "name"), field(b, "name")))
	})
	content, err := yaml.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	return File{Name: "objects/" + from.file + ".yaml", About: fmt.Sprintf("%s (%d)", from.about, len(items)), Content: content}, err
}

func field(object map[string]any, name string) string {
	metadata, _ := object["metadata"].(map[string]any)
	text, _ := metadata[name].(string)
	return text
}
