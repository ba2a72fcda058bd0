// Package v1alpha1 holds the API of Vaultpane: ObservedCertificate, what people ask for; NodeCertificateState, what one
// node has; and the table of reasons that both speak in.
//
// +kubebuilder:object:generate=true
// +groupName=vaultpane.dev
package v1alpha1
