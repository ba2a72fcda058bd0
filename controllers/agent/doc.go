// Package agent is Kubernetes' side of the node agent. It watches ObservedCertificates and the Node, has the engine process each
// certificate that targets the node, and writes events; report writes the node's state and its Lease.
//
// +kubebuilder:rbac:groups=vaultpane.dev,resources=observedcertificates,verbs=list;watch
// +kubebuilder:rbac:groups=vaultpane.dev,resources=nodecertificatestates,verbs=get;create;update
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=default,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,verbs=get;create;update
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,resourceNames=vaultpane-version-watch,verbs=list;watch
package agent
