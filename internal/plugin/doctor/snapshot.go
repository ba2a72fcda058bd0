package doctor

import (
	"slices"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/version"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
)

// Source is something that the reader reads, by the name of its kind.
type Source string

// Sources.
const (
	Kubernetes      Source = "the version of Kubernetes"
	Clock           Source = "the clock of the API server"
	Workloads       Source = "daemonsets and deployments"
	CRDs            Source = "customresourcedefinitions"
	Nodes           Source = "nodes"
	Certificates    Source = "observedcertificates"
	States          Source = "nodecertificatestates"
	Pods            Source = "pods"
	Leases          Source = "leases"
	Namespace       Source = "namespaces"
	ServiceAccounts Source = "serviceaccounts"
	Policies        Source = "validatingadmissionpolicies"
	PolicyBindings  Source = "validatingadmissionpolicybindings"
	Webhooks        Source = "mutatingwebhookconfigurations"
	Events          Source = "events"
	Names           Source = "names of vaults"
)

// Snapshot is what was read from a cluster. Checks only read it.
type Snapshot struct {
	// Client is the version of this command.
	Client string
	// Server and Local are the same moment by the clocks of the API server and of this machine.
	Server, Local time.Time
	// Kubernetes is the version of the API server.
	Kubernetes version.Info
	// Chosen is true if the namespace was given, and not looked for.
	Chosen bool
	// Node is the only node that is looked at; empty for all.
	Node string

	installation.Installation
	// CRDs are those of Vaultpane that exist, by name.
	CRDs map[string]*apiextensionsv1.CustomResourceDefinition
	// Nodes are all nodes, by name, without their images.
	Nodes []corev1.Node
	// Certificates are all ObservedCertificates, by name.
	Certificates []v1alpha1.ObservedCertificate
	// Reports are the NodeCertificateStates, by name.
	Reports []Report
	// Pods are those of agents and controller.
	Pods []corev1.Pod
	// Leases are those of the namespace, by name: of agents, with the name of the node, and of the controller.
	Leases []coordinationv1.Lease
	// Home is the namespace; nil if it does not exist.
	Home *corev1.Namespace
	// Accounts are the service accounts of the namespace, by name.
	Accounts map[string]*corev1.ServiceAccount
	// Policies and Bindings are the ValidatingAdmissionPolicies of Vaultpane, and what puts them into force.
	Policies map[string]*admissionv1.ValidatingAdmissionPolicy
	Bindings map[string]*admissionv1.ValidatingAdmissionPolicyBinding
	// Webhooks are the names of all mutating webhook configurations.
	Webhooks []string
	// Events are warnings of the last hour about Vaultpane.
	Events []corev1.Event
	// Hosts are the vaults' hosts, and why a name did not resolve on this machine; nil if it did.
	Hosts map[string]error

	// Unread says which sources could not be read, and why. A check that needs one of them is not made.
	Unread map[Source]error
}

// Report is what a check needs of a NodeCertificateState. A fleet's states have half a million entries; kept are those that say
// something.
type Report struct {
	Name, AgentVersion string
	NodeUID            types.UID
	// Entries are those with a reason, those that expire soon, and all of a node with the startup taint.
	Entries []v1alpha1.CertificateEntry
	Omitted *v1alpha1.Omitted
}

// agentNodes returns the nodes that the agents' DaemonSets select and that are not being deleted.
func (s *Snapshot) agentNodes() []*corev1.Node {
	var found []*corev1.Node
	for i := range s.Nodes {
		if node := &s.Nodes[i]; node.DeletionTimestamp.IsZero() && s.RunsAgent(labels.Set(node.Labels)) {
			found = append(found, node)
		}
	}
	return found
}

// report returns the report of a node, nil if there is none.
func (s *Snapshot) report(node string) *Report {
	at, found := slices.BinarySearchFunc(s.Reports, node, func(report Report, name string) int { return strings.Compare(report.Name, name) })
	if !found {
		return nil
	}
	return &s.Reports[at]
}
