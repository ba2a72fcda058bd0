package fleet

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/install"
)

// Entry is what a node has of a certificate; both are counted from 0. The name and the generation are added.
type Entry func(node, certificate int) v1alpha1.CertificateEntry

// begin is when the fleet's certificates were made.
var begin = time.Now().Truncate(time.Second)

// Installed returns an Entry for nodes that have the given version of each certificate. A later version is valid longer.
func Installed(version func(certificate int) int) Entry {
	return func(_, certificate int) v1alpha1.CertificateEntry {
		end := metav1.NewTime(begin.Add(time.Duration(100+version(certificate)) * 24 * time.Hour))
		return v1alpha1.CertificateEntry{
			Version:    fmt.Sprintf("%024x%08x", certificate, version(certificate)),
			Thumbprint: Thumbprint(certificate, version(certificate)),
			NotAfter:   &end,
		}
	}
}

// Thumbprint is that of a version of a certificate, as long as a real one.
func Thumbprint(certificate, version int) string {
	return fmt.Sprintf("%032X%08X", certificate, version)
}

// Failed returns an Entry for nodes that have a certificate and cannot get its successor. The message is of about 300 bytes
// and different on each node.
func Failed(installed Entry) Entry {
	since := metav1.NewTime(begin)
	return func(node, certificate int) v1alpha1.CertificateEntry {
		entry := installed(node, certificate)
		entry.State, entry.Reason, entry.Since = v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied, &since
		entry.Message = fmt.Sprintf("vault shop.vault.azure.net, secret cert-%03d: 403 Forbidden, inner error ForbiddenByRbac: the identity "+
			"of node %06d (client id 00000000-0000-4000-8000-%012d) lacks the right Microsoft.KeyVault/vaults/secrets/getSecret/action; "+
			"give it the role Key Vault Secrets User on the vault or on the secret, then wait for the next poll", certificate, node, node)
		return entry
	}
}

// Report has every agent write the state of its node, and returns after the last write.
func (f *Fleet) Report(ctx context.Context, entry Entry) (time.Time, error) {
	number := make(map[*member]int, len(f.members))
	for i, m := range f.members {
		number[m] = i
	}
	err := each(ctx, f.members, func(ctx context.Context, m *member) error {
		if m.lease == nil {
			if err := f.firstLease(ctx, m); err != nil {
				return err
			}
		}
		return f.write(ctx, m, f.entries(number[m], entry))
	})
	return time.Now(), err
}

func (f *Fleet) entries(node int, entry Entry) []v1alpha1.CertificateEntry {
	entries := make([]v1alpha1.CertificateEntry, len(f.certificates))
	for i := range f.certificates {
		entries[i] = entry(node, i)
		entries[i].Name, entries[i].Generation = f.certificates[i].Name, f.certificates[i].Generation
	}
	return entries
}

func (f *Fleet) write(ctx context.Context, m *member, entries []v1alpha1.CertificateEntry) error {
	state := &v1alpha1.NodeCertificateState{
		ObjectMeta:   metav1.ObjectMeta{Name: m.node, OwnerReferences: m.owner, ResourceVersion: m.state},
		AgentVersion: "v0.0.0-fleet", NodeUID: string(m.owner[0].UID), Certificates: entries,
		Summary: summaryOf(entries),
	}
	var err error
	if m.state == "" {
		err = f.kube.Create(ctx, state)
	} else {
		err = f.kube.Update(ctx, state)
	}
	if err != nil {
		return fmt.Errorf("writing NodeCertificateState %s: %w", m.node, err)
	}
	m.state = state.ResourceVersion
	return nil
}

// summaryOf is the summary of entries that have the same reason, or none.
func summaryOf(entries []v1alpha1.CertificateEntry) *v1alpha1.NodeSummary {
	summary := &v1alpha1.NodeSummary{}
	for _, entry := range entries {
		if entry.Reason == "" {
			continue
		}
		summary.Failing++
		if summary.Reason == "" {
			summary.Reason, summary.Certificate = entry.Reason, entry.Name
		}
	}
	return summary
}

func (f *Fleet) firstLease(ctx context.Context, m *member) error {
	holder := string(m.owner[0].UID)
	m.lease = &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: m.node, OwnerReferences: m.owner},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: now()},
	}
	if err := f.kube.Create(ctx, m.lease); err != nil {
		return fmt.Errorf("creating the Lease of %s: %w", m.node, err)
	}
	return nil
}

// Renew renews the Leases of a fleet at the pace of its agents, spread evenly over the period, until the context ends.
func (f *Fleet) Renew(ctx context.Context, period time.Duration) error {
	ticker := time.NewTicker(period / time.Duration(len(f.members)))
	defer ticker.Stop()
	for {
		for _, m := range f.members {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return nil
			}
			m.lease.Spec.RenewTime = now()
			// one that has begun is finished, so that its error is one
			if err := f.kube.Update(context.WithoutCancel(ctx), m.lease); err != nil {
				return fmt.Errorf("renewing the Lease of %s: %w", m.node, err)
			}
		}
	}
}
