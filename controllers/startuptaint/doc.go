// Package startuptaint takes the startup taint off nodes whose certificates are there. A file a phase: watch, decide,
// remove, tell (events); removeall is for uninstalling. docs/startup-taint.md is its page for operators.
//
// The controller alone may patch nodes. Agents must not: a node's token that may change any node is how one stolen node
// becomes a stolen cluster.
//
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=vaultpane.dev,resources=nodecertificatestates,verbs=get;list;watch
// +kubebuilder:rbac:groups=vaultpane.dev,resources=observedcertificates,verbs=get;list;watch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=default,resources=events,verbs=create;patch
package startuptaint
