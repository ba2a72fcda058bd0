package rollup

import (
	"slices"
	"strings"
	"unique"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// CacheOptions returns which fields of each kind the controller keeps in its cache. At 5,000 nodes with 100 certificates these
// are half a million entries, most with the same texts. namespace is that of the agents' Leases.
func CacheOptions(namespace string) cache.Options {
	shared := true // objects of these kinds are only read
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Node{}:                   {Transform: slimNode},
			&v1alpha1.ObservedCertificate{}:  {Transform: slimCertificate},
			&v1alpha1.NodeCertificateState{}: {Transform: slimState, UnsafeDisableDeepCopy: &shared},
			&coordinationv1.Lease{}: {
				Transform: cache.TransformStripManagedFields(), UnsafeDisableDeepCopy: &shared,
				Namespaces: map[string]cache.Config{namespace: {}},
			},
		},
	}
}

// slimNode keeps the identity, labels and taints of a Node.
func slimNode(object any) (any, error) {
	full, ok := object.(*corev1.Node)
	if !ok {
		return object, nil // a tombstone
	}
	slim := &corev1.Node{TypeMeta: full.TypeMeta, Spec: corev1.NodeSpec{Taints: full.Spec.Taints}}
	slim.Name, slim.UID, slim.ResourceVersion = full.Name, full.UID, full.ResourceVersion
	slim.CreationTimestamp, slim.DeletionTimestamp, slim.Labels = full.CreationTimestamp, full.DeletionTimestamp, full.Labels
	return slim, nil
}

// slimCertificate drops what only agents need of a spec, and the annotations that the controllers do not read, one of which
// (kubectl's) repeats the spec. A write of the status uses neither.
func slimCertificate(object any) (any, error) {
	certificate, ok := object.(*v1alpha1.ObservedCertificate)
	if !ok {
		return object, nil // a tombstone
	}
	read := map[string]string{}
	for _, name := range []string{v1alpha1.RequestedAtAnnotation, v1alpha1.PromoteAnnotation} {
		if value, set := certificate.Annotations[name]; set {
			read[name] = value
		}
	}
	certificate.ManagedFields, certificate.Annotations, certificate.Spec.Accounts = nil, nil, nil
	if len(read) > 0 {
		certificate.Annotations = read
	}
	return certificate, nil
}

// slimState shares the texts that many nodes report, drops what the roll-up does not use, and sorts the entries into a list
// without spare capacity. It truncates and sanitizes messages: they come from a node, and go into statuses and events.
func slimState(object any) (any, error) {
	state, ok := object.(*v1alpha1.NodeCertificateState)
	if !ok {
		return object, nil // a tombstone
	}
	state.ManagedFields, state.Summary = nil, nil
	state.AgentVersion = share(truncate.Line(state.AgentVersion, maxAgentVersion))
	for i := range state.Certificates {
		entry := &state.Certificates[i]
		entry.Name, entry.Version, entry.Thumbprint = share(entry.Name), share(entry.Version), share(entry.Thumbprint)
		entry.Message, entry.RequestedAt, entry.Since = truncate.Cut(truncate.Line(entry.Message, maxMessage), maxMessage), "", nil
		entry.State, entry.Reason = v1alpha1.CertificateState(share(string(entry.State))), v1alpha1.Reason(share(string(entry.Reason)))
	}
	state.Certificates = slices.Clone(state.Certificates) // without the decoder's spare capacity
	slices.SortStableFunc(state.Certificates, func(a, b v1alpha1.CertificateEntry) int { return strings.Compare(a.Name, b.Name) })
	return state, nil
}

// maxAgentVersion bounds an agent's version as a metric's label, in characters.
const maxAgentVersion = 64

func share(text string) string { return unique.Make(text).Value() }
