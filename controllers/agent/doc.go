// Package agent is the node reconciler: it brings the certificates that ObservedCertificates ask for into the node's
// store and keeps them there. The data goes one way, a file a phase: select, observe, due, fetch and parse, converge
// (plan and apply), outcome (report).
//
// +kubebuilder:rbac:groups=vaultpane.dev,resources=observedcertificates,verbs=list;watch
// +kubebuilder:rbac:groups=vaultpane.dev,resources=nodecertificatestates,verbs=get;create;update
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=default,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,verbs=get;create;update
package agent
