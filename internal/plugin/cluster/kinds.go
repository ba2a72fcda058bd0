package cluster

import "k8s.io/apimachinery/pkg/runtime/schema"

// Kinds that the installation consists of, and that say how it is.
var (
	Namespaces       = schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
	Pods             = schema.GroupVersionResource{Version: "v1", Resource: "pods"}
	Events           = schema.GroupVersionResource{Version: "v1", Resource: "events"}
	ConfigMaps       = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	ServiceAccounts  = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}
	DaemonSets       = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}
	Deployments      = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	Leases           = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}
	CRDs             = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	Policies         = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicies"}
	PolicyBindings   = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "validatingadmissionpolicybindings"}
	MutatingWebhooks = schema.GroupVersionResource{Group: "admissionregistration.k8s.io", Version: "v1", Resource: "mutatingwebhookconfigurations"}
)
