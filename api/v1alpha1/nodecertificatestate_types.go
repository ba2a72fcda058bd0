package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// CertificateState is the state of a certificate on a node: empty where it is in the store as the spec asks for it.
// +kubebuilder:validation:Enum=Pending;Failed;Suspended
type CertificateState string

// Certificate states.
const (
	// StateInstalled is the state of a certificate that is in the store as the spec asks for it. A reason in addition to it is about
	// something else: the last polls failed, a link was declined, or an entry of spec.usedBy failed.
	StateInstalled CertificateState = ""
	// StatePending is the state of a certificate that is still being fetched or retried.
	StatePending CertificateState = "Pending"
	// StateFailed is the state of a certificate that needs a person to act.
	StateFailed CertificateState = "Failed"
	// StateSuspended is the state of a certificate whose spec sets suspend.
	StateSuspended CertificateState = "Suspended"
)

// MaxMessageLength bounds the message of an entry, in characters, as the CRD does.
const MaxMessageLength = 1024

// CertificateEntry is one certificate on one node: what is in the store, read back from it, and what failed.
type CertificateEntry struct {
	// name is the name of the ObservedCertificate.
	// +required
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// generation is the generation of the spec that the node acted on.
	// +required
	Generation int64 `json:"generation"`
	// version is the Key Vault version in the store. Key Vault's own are 32 hexadecimal digits; compatible vaults may use other
	// names.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern="^[0-9A-Za-z._-]*$"
	Version string `json:"version,omitempty"`
	// thumbprint is the SHA-1 hash of the certificate in the store, in upper-case hexadecimal digits.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern="^[0-9A-Za-z]*$"
	Thumbprint string `json:"thumbprint,omitempty"`
	// notAfter is when it expires.
	// +optional
	NotAfter *metav1.Time `json:"notAfter,omitempty"`
	// requestedAt is the value of the annotation vaultpane.dev/requestedAt that was acted on, while it is set.
	// +optional
	// +kubebuilder:validation:MaxLength=64
	RequestedAt string `json:"requestedAt,omitempty"`
	// state is absent while the certificate is in the store as the spec asks for it.
	// +optional
	State CertificateState `json:"state,omitempty"`
	// reason is the name of a reason; docs/errors.md lists them. Without a state, it says why the last polls failed while the
	// certificate is in place, that a link was declined, or that an entry of spec.usedBy failed.
	// +optional
	Reason Reason `json:"reason,omitempty"`
	// message says what is wrong, where, and what to do, in at most 1,024 characters.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Message string `json:"message,omitempty"`
	// since is when the state and reason began.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`
	// uses are the entries of spec.usedBy, in its order; absent without them.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Uses []UseState `json:"uses,omitempty"`
}

// NodeCertificateState is the state of all certificates on one node. It has the node's name, is owned by the Node, and is written
// by that node's agent only, when something changed.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:scope=Cluster,shortName=nodecert,categories=vaultpane
// +kubebuilder:printcolumn:name="FAILING",type=integer,description="The number of certificates that are failed or pending, or whose polls fail.",JSONPath=`.summary.failing`
// +kubebuilder:printcolumn:name="REASON",type=string,description="The worst reason of all certificates.",JSONPath=`.summary.reason`
// +kubebuilder:printcolumn:name="CERTIFICATE",type=string,description="The ObservedCertificate that has it.",JSONPath=`.summary.certificate`
// +kubebuilder:printcolumn:name="AGENT",type=string,JSONPath=`.agentVersion`
// +kubebuilder:printcolumn:name="AGE",type=date,JSONPath=`.metadata.creationTimestamp`
type NodeCertificateState struct {
	metav1.TypeMeta `json:",inline"`
	// metadata is the standard metadata of an object.
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// agentVersion is the version of the agent that wrote this.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	AgentVersion string `json:"agentVersion,omitempty"`
	// nodeUID is the UID of the Node that this describes. It distinguishes a node from an earlier one of the same name.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	NodeUID string `json:"nodeUID,omitempty"`
	// summary is the worst of the certificates, for the columns of kubectl get.
	// +optional
	Summary *NodeSummary `json:"summary,omitempty"`
	// certificates are the certificates that target this node, by name.
	// +optional
	// +listType=atomic
	Certificates []CertificateEntry `json:"certificates,omitempty"`
	// omitted counts what the agent left out because the object would have become too large for etcd; absent when nothing is
	// missing. The worst entries keep their messages.
	// +optional
	Omitted *Omitted `json:"omitted,omitempty"`
}

// NodeSummary counts the failing certificates of a node, and names the worst.
type NodeSummary struct {
	// failing is the number of certificates that are failed or pending, or installed while their polls fail.
	// +required
	Failing int32 `json:"failing"`
	// reason is the worst reason of all certificates; absent where no certificate has a reason.
	// +optional
	Reason Reason `json:"reason,omitempty"`
	// certificate is the name of the first ObservedCertificate that has it.
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Certificate string `json:"certificate,omitempty"`
}

// Omitted counts what a NodeCertificateState leaves out.
type Omitted struct {
	// messages is the number of entries with a reason whose message is missing; absent when there is none.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Messages int32 `json:"messages,omitempty"`
	// certificates is the number of certificates without an entry; absent when there is none.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Certificates int32 `json:"certificates,omitempty"`
}

// NodeCertificateStateList is a list of NodeCertificateStates.
//
// +kubebuilder:object:root=true
type NodeCertificateStateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []NodeCertificateState `json:"items"`
}
