package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

func equalFold(a, b string) bool { return strings.EqualFold(a, b) }

const my = `LocalMachine\MY`

func TestInstall(t *testing.T) {
	web := the.put(t, "install-web", keyvault.CertificateOptions{WithChain: true, RootFirst: true, Names: []string{"web.example.com"}})
	partner := the.put(t, "install-partner", keyvault.CertificateOptions{ContentType: keyvault.PEM})
	legacy := the.put(t, "install-legacy", keyvault.CertificateOptions{LegacyPFX: true, KeyType: keyvault.RSA3072})
	the.wish(t, "install-web", the.shop.SecretURL("install-web"), nil)
	the.wish(t, "install-partner", the.shop.SecretURL("install-partner"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.CertificateStoreLocation = "CURRENT_USER"
	})
	the.wish(t, "install-legacy", the.shop.SecretURL("install-legacy"), nil)
	the.installed(t, "install-web", web)
	the.installed(t, "install-partner", partner)
	the.installed(t, "install-legacy", legacy)
	the.holds(t, "install-web", my, web)
	the.holds(t, "install-partner", `CurrentUser\MY`, partner)
	the.holds(t, "install-legacy", my, legacy)
	all, err := the.machine.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	intermediates := 0
	for _, certificate := range all {
		if !certificate.Intermediate {
			continue
		}
		intermediates++
		if !equalFold(certificate.Store, `LocalMachine\CA`) || certificate.Key != "None" {
			t.Errorf("an intermediate is %+v", certificate)
		}
	}
	if intermediates != 1 {
		t.Errorf("the store holds %d intermediates, want 1: roots go nowhere", intermediates)
	}
}

func TestAnECKeyIsInstalledWhereTheProviderHoldsIt(t *testing.T) {
	thumbprint := the.put(t, "ec", keyvault.CertificateOptions{KeyType: keyvault.P256})
	the.wish(t, "ec", the.shop.SecretURL("ec"), nil)
	if the.kind == node.Native {
		the.installed(t, "ec", thumbprint)
		the.holds(t, "ec", my, thumbprint)
		return
	}
	entry := the.fails(t, "ec", v1alpha1.ReasonUnsupported) // CAPI has no EC keys, on Windows too
	if !strings.Contains(entry.Message, "use keyStorageProvider CNG") {
		t.Errorf("the message does not say what to do: %s", entry.Message)
	}
}

func TestARotationArrivesWithTheNextSlot(t *testing.T) {
	first := the.put(t, "slot", keyvault.CertificateOptions{})
	the.wish(t, "slot", the.shop.SecretURL("slot"), func(spec *v1alpha1.ObservedCertificateSpec) { spec.PollingIntervalInS = 30 })
	the.installed(t, "slot", first)
	second := the.rotate(t, "slot")
	the.installed(t, "slot", second)
	the.holds(t, "slot", my, first, second)
}

func TestRequestedAtPollsNowAndOnce(t *testing.T) {
	first := the.put(t, "asked", keyvault.CertificateOptions{})
	the.wish(t, "asked", the.shop.SecretURL("asked"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.PollingIntervalInS = 30 * 24 * 3600 // so that no slot falls between the last sign of life and the restart
	})
	the.installed(t, "asked", first)
	second := the.rotate(t, "asked")
	value := the.ask(t, "asked")
	the.installed(t, "asked", second)
	the.holds(t, "asked", my, first, second)
	entry, err := the.entry(t, "asked")
	if err != nil || entry.RequestedAt != value {
		t.Errorf("the node reports requestedAt %q, want %q (%v)", entry.RequestedAt, value, err)
	}
	before := the.shop.Stats().BySecret["asked"]
	the.restartAgent(t)
	witness := the.put(t, "asked-witness", keyvault.CertificateOptions{})
	the.wish(t, "asked-witness", the.shop.SecretURL("asked-witness"), nil)
	the.installed(t, "asked-witness", witness) // the new agent is at work
	if after := the.shop.Stats().BySecret["asked"]; after != before || before != 2 {
		t.Errorf("the vault saw %d requests, and %d after a restart; want 2 and 2", before, after)
	}
}

func TestDriftIsRepaired(t *testing.T) {
	thumbprint := the.put(t, "drift", keyvault.CertificateOptions{})
	the.wish(t, "drift", the.shop.SecretURL("drift"), nil)
	the.installed(t, "drift", thumbprint)
	the.forget(t, thumbprint)
	await.That(t, "the certificate is back", func() (bool, error) {
		held := the.held(t, "drift")
		return len(held) == 1 && held[0].Thumbprint == thumbprint && held[0].Key == "Present", nil
	})
}

func TestAnotherStore(t *testing.T) {
	thumbprint := the.put(t, "moved", keyvault.CertificateOptions{})
	the.wish(t, "moved", the.shop.SecretURL("moved"), nil)
	the.installed(t, "moved", thumbprint)
	the.change(t, "moved", func(certificate *v1alpha1.ObservedCertificate) { certificate.Spec.CertificateStoreName = "WebHosting" })
	await.That(t, "the new generation is reported", func() (bool, error) {
		entry, err := the.entry(t, "moved")
		return entry.Generation == 2 && entry.State == v1alpha1.StateInstalled, err
	})
	the.holds(t, "moved", `LocalMachine\WebHosting`, thumbprint)
	the.holds(t, "moved", my, thumbprint) // deletionPolicy Retain
}

func TestDeletionPolicyDelete(t *testing.T) {
	thumbprint := the.put(t, "deleted", keyvault.CertificateOptions{})
	the.wish(t, "deleted", the.shop.SecretURL("deleted"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.DeletionPolicy = v1alpha1.DeletionDelete
	})
	the.installed(t, "deleted", thumbprint)
	the.drop(t, "deleted")
	the.gone(t, "deleted")
	await.That(t, "the certificate is gone", func() (bool, error) { return len(the.held(t, "deleted")) == 0, nil })
}

func TestAPinnedVersionStays(t *testing.T) {
	first := the.put(t, "pinned", keyvault.CertificateOptions{})
	version := the.shop.Versions("pinned")[0]
	second := the.rotate(t, "pinned")
	the.wish(t, "pinned", the.shop.SecretURL("pinned")+"/"+version, nil)
	the.installed(t, "pinned", first)
	asked := the.ask(t, "pinned")
	await.That(t, "the poll is done", func() (bool, error) {
		entry, err := the.entry(t, "pinned")
		return entry.RequestedAt == asked, err
	})
	the.installed(t, "pinned", first)
	the.change(t, "pinned", func(certificate *v1alpha1.ObservedCertificate) {
		certificate.Spec.URL = the.shop.SecretURL("pinned")
	})
	the.installed(t, "pinned", second)
}

func TestAWrongHostIsNeverAsked(t *testing.T) {
	stranger := the.vaults.Vault("elsewhere")
	tokens := the.vaults.TokenRequests()
	elsewhere := strings.Replace(stranger.SecretURL("secret"), "localhost", "127.0.0.1", 1) // the allow-list names localhost
	the.wish(t, "elsewhere", elsewhere, nil)
	entry := the.fails(t, "elsewhere", v1alpha1.ReasonVaultNotAllowed)
	if !strings.Contains(entry.Message, "127.0.0.1") {
		t.Errorf("the message does not name the host: %s", entry.Message)
	}
	if stats := stranger.Stats(); stats.Connections != 0 || stats.Requests != 0 || stats.Unauthorized != 0 {
		t.Errorf("the host was reached: %+v", stats)
	}
	if now := the.vaults.TokenRequests(); now != tokens {
		t.Errorf("%d tokens were requested", now-tokens)
	}
}

func TestStopTakesNoTime(t *testing.T) {
	if the.kind == node.Wine {
		t.Skip("Wine cannot be sent CTRL_SHUTDOWN_EVENT; docs/testing.md lists it")
	}
	// A clean end waits for 30 s, controller-runtime's default. This is less, and far more than a busy machine needs.
	took, err := the.agent.Stop(20 * time.Second)
	if err != nil {
		t.Error(err)
	}
	t.Logf("the agent took %s to stop", took)
	the.restartAgent(t)
}
