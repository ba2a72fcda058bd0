// Package v1alpha1 is the API of Vaultpane: ObservedCertificate, the desired certificate; NodeCertificateState, the state of one
// node; and the table of reasons that both use.
//
// +kubebuilder:object:generate=true
// +groupName=vaultpane.dev
package v1alpha1
