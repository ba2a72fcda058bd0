// Package versionwatch lists the versions of each observed secret for the whole cluster, and decides which one the nodes should
// have: the newest that is enabled and within its dates. A list has no values, so the controller needs no right to read secrets.
//
// The roll-up writes the decision to the certificates' status, and the agents fetch it. A Lease says which vaults are on
// schedule; while a vault is, agents do not poll it.
package versionwatch

// +kubebuilder:rbac:groups=vaultpane.dev,resources=observedcertificates,verbs=get;list;watch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,verbs=get;list;watch;create
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=vaultpane-system,resources=leases,resourceNames=vaultpane-version-watch,verbs=update
