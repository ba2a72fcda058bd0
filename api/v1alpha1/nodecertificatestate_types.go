package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CertificateState says what is not well with a certificate on a node. All is well where it is empty.
// +kubebuilder:validation:Enum=Pending;Failed;Suspended
type CertificateState string

// Certificate states.
const (
	// StateInstalled is the state of a certificate that is in the store as wanted.
	StateInstalled CertificateState = ""
	// StatePending is the state of a certificate that is still being fetched or retried.
	StatePending CertificateState = "Pending"
	// StateFailed is the state of a certificate that someone must act for.
	StateFailed CertificateState = "Failed"
	// StateSuspended is the state of a certificate whose spec says suspend.
	StateSuspended CertificateState = "Suspended"
)

// CertificateEntry is one certificate on one node: what is in the store, read back from it, and what is not well.
type CertificateEntry struct {
	// name is the name of the ObservedCertificate.
	Name string `json:"name"`
	// generation is the generation of the spec that the node acted on.
	Generation int64 `json:"generation"`
	// version is the Key Vault version in the store. It and the thumbprint are copied to the status that people read, so they
	// are no free text.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern="^[0-9A-Za-z-]*$"
	Version string `json:"version,omitempty"`
	// thumbprint is the SHA-1 hash of the certificate in the store, in upper-case hexadecimal digits.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern="^[0-9A-Za-z]*$"
	Thumbprint string `json:"thumbprint,omitempty"`
	// notAfter is the end of its validity.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
	// requestedAt is the value of the annotation vaultpane.dev/requestedAt that was acted on, while it is set.
	// +optional
	RequestedAt string `json:"requestedAt,omitempty"`
	// state is absent when all is well.
	// +optional
	State CertificateState `json:"state,omitempty"`
	// reason is the name of a reason, absent when all is well; docs/errors.md lists them.
	// +optional
	Reason Reason `json:"reason,omitempty"`
	// message says what is wrong, where, and what to do.
	// +optional
	Message string `json:"message,omitempty"`
	// since is when this state began.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
}

// NodeCertificateState is what the agent on one node found and did, for all certificates. It has the node's name, is
// owned by the Node, and is written by that node's agent only, when something changed.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=nodecert,categories=vaultpane
// +kubebuilder:printcolumn:name="TROUBLE",type=string,description="The first reason why something is not well, if there is one.",JSONPath=`.certificates[?(@.reason)].reason`
// +kubebuilder:printcolumn:name="CERTIFICATE",type=string,description="The ObservedCertificate that has it.",JSONPath=`.certificates[?(@.reason)].name`
// +kubebuilder:printcolumn:name="AGENT",type=string,JSONPath=`.agentVersion`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type NodeCertificateState struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// agentVersion is the version of the agent that wrote this.
	// +optional
	AgentVersion string `json:"agentVersion,omitempty"`
	// nodeUID is the UID of the Node object this describes, which tells a node from an earlier one of the same name.
	// +optional
	NodeUID string `json:"nodeUID,omitempty"`
	// certificates are the certificates that select this node, by name.
	// +optional
	// +listType=atomic
	Certificates []CertificateEntry `json:"certificates,omitempty"`
}

// NodeCertificateStateList is a list of NodeCertificateStates.
//
// +kubebuilder:object:root=true
type NodeCertificateStateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NodeCertificateState `json:"items"`
}
