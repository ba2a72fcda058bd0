// Package startuptaint removes the startup taint from nodes whose certificates are installed. Each phase has a file: watch,
// decide, remove, waitevents; removeall is for uninstalling. docs/startup-taint.md is its page for operators.
//
// Only the controller may patch nodes. Agents must not: with an agent's token that may change any node, one compromised node
// would compromise the cluster.
//
// +kubebuilder:rbac:groups="",resources=nodes,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=vaultpane.dev,resources=nodecertificatestates,verbs=get;list;watch
// +kubebuilder:rbac:groups=vaultpane.dev,resources=observedcertificates,verbs=get;list;watch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,verbs=get;list;watch
// +kubebuilder:rbac:groups=events.k8s.io,namespace=default,resources=events,verbs=create;patch
package startuptaint
