package isolation

import (
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
)

// TestTheSamplePolicyBoundsAuthors applies the sample that docs/security.md offers.
func TestTheSamplePolicyBoundsAuthors(t *testing.T) {
	w := sharedEnvironment(t)
	w.apply(t, filepath.Join("..", "..", "config", "samples", "authors.yaml"))
	config := rest.CopyConfig(w.plane.Config())
	config.Impersonate = rest.ImpersonationConfig{UserName: "alice", Groups: []string{"shop-certificates", "system:authenticated"}}
	author := clientWith(t, config)

	good := func(name string) *v1alpha1.ObservedCertificate {
		return &v1alpha1.ObservedCertificate{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.ObservedCertificateSpec{
				URL:          "https://shop.vault.azure.net/secrets/web",
				NodeSelector: &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"kubernetes.azure.com/agentpool": "shop"}},
			},
		}
	}
	refusal := func(err error) string {
		_, says, _ := strings.Cut(messageOf(err), "denied request: ")
		if err != nil && says == "" {
			return err.Error()
		}
		return says
	}
	create := func(certificate *v1alpha1.ObservedCertificate) string {
		return refusal(author.Create(t.Context(), certificate, client.DryRunAll))
	}
	const (
		vaults = "spec.url must be in one of the vaults of this group: shop.vault.azure.net, shop-test.vault.azure.net"
		port   = "spec.url must not have a port other than 443"
		stores = "spec.certificateStoreName must be one of the stores of this group in LocalMachine: my, webhosting"
		who    = "spec.authentication.msiClientId must be an identity of this group; omit it for the agent's own identity"
		pool   = "spec.nodeSelector.matchLabels must have kubernetes.azure.com/agentpool: shop, the node pool of this group"
	)
	await.That(t, "the policy is in force", func() (bool, error) {
		probe := good("probe")
		probe.Spec.CertificateStoreName = "Root"
		return create(probe) == stores, nil
	})
	for name, attempt := range map[string]struct {
		change func(*v1alpha1.ObservedCertificateSpec)
		says   string
	}{
		"as it should be":       {func(*v1alpha1.ObservedCertificateSpec) {}, ""},
		"with the usual port":   {func(s *v1alpha1.ObservedCertificateSpec) { s.URL = "https://shop.vault.azure.net:443/secrets/web" }, ""},
		"in capital letters":    {func(s *v1alpha1.ObservedCertificateSpec) { s.URL = "https://SHOP.vault.azure.net/secrets/web" }, ""},
		"a store in lower case": {func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreName = "webhosting" }, ""},
		"one label more": {func(s *v1alpha1.ObservedCertificateSpec) {
			s.NodeSelector.MatchLabels["disk"] = "fast"
		}, ""},
		"another vault": {func(s *v1alpha1.ObservedCertificateSpec) { s.URL = "https://bank.vault.azure.net/secrets/web" }, vaults},
		"a vault named like it": {func(s *v1alpha1.ObservedCertificateSpec) {
			s.URL = "https://shop.vault.azure.net.evil.example/secrets/web"
		}, vaults},
		"another port":          {func(s *v1alpha1.ObservedCertificateSpec) { s.URL = "https://shop.vault.azure.net:8443/secrets/web" }, port},
		"trust":                 {func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreName = "rOOt" }, stores},
		"the agent's own store": {func(s *v1alpha1.ObservedCertificateSpec) { s.CertificateStoreLocation = v1alpha1.CurrentUser }, stores},
		"another identity": {func(s *v1alpha1.ObservedCertificateSpec) {
			s.Authentication = &v1alpha1.Authentication{MSIClientID: "5c1eaa6d-172b-4fe3-8de1-47ebf895c76f"}
		}, who},
		"every node": {func(s *v1alpha1.ObservedCertificateSpec) { s.NodeSelector = nil }, pool},
		"another pool": {func(s *v1alpha1.ObservedCertificateSpec) {
			s.NodeSelector.MatchLabels["kubernetes.azure.com/agentpool"] = "bank"
		}, pool},
	} {
		t.Run(name, func(t *testing.T) {
			certificate := good("made")
			attempt.change(&certificate.Spec)
			if got := create(certificate); got != attempt.says {
				t.Errorf("got  %q\nwant %q", got, attempt.says)
			}
		})
	}

	theirs := good("authors-theirs")
	theirs.Spec.URL = "https://bank.vault.azure.net/secrets/web"
	w.there(t, theirs)
	t.Run("take over another group's", func(t *testing.T) {
		taken := theirs.DeepCopy()
		taken.Spec.URL = good("").Spec.URL
		if got := refusal(author.Update(t.Context(), taken, client.DryRunAll)); got != vaults {
			t.Errorf("got %q", got)
		}
	})
	t.Run("delete another group's", func(t *testing.T) {
		if got := refusal(author.Delete(t.Context(), theirs, client.DryRunAll)); got != vaults {
			t.Errorf("got %q", got)
		}
	})
	t.Run("who is not of the group is not bound by it", func(t *testing.T) {
		certificate := good("admins")
		certificate.Spec.CertificateStoreName = "Root"
		if err := w.admin.Create(t.Context(), certificate, client.DryRunAll); err != nil {
			t.Error(err)
		}
	})
}
