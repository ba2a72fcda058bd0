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

// CacheOptions say what the controller keeps of each kind, and in which form. At 5,000 nodes with 100 certificates it is half
// a million entries, most of whose texts are the same. namespace is that of the agents' Leases.
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

// slimNode keeps of a Node what tells it apart, its labels, and its taints.
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

// slimCertificate leaves out of a spec what only agents need, and the annotations, of which kubectl's holds the spec once more. A
// write of the status takes neither from here.
func slimCertificate(object any) (any, error) {
	certificate, ok := object.(*v1alpha1.ObservedCertificate)
	if !ok {
		return object, nil // a tombstone
	}
	certificate.ManagedFields, certificate.Annotations, certificate.Spec.Accounts = nil, nil, nil
	return certificate, nil
}

// slimState shares the texts that many nodes report, leaves out what is not used here, and sorts the entries into a list that is
// as long as it must be. A message is cut and made safe to show: it comes from a node, and goes into statuses and events.
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
	state.Certificates = slices.Clone(state.Certificates) // without the spare capacity that the decoder left behind them
	slices.SortStableFunc(state.Certificates, func(a, b v1alpha1.CertificateEntry) int { return strings.Compare(a.Name, b.Name) })
	return state, nil
}

// maxAgentVersion bounds an agent's version as a metric's label, in characters.
const maxAgentVersion = 64

func share(text string) string { return unique.Make(text).Value() }
