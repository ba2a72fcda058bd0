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
	web := env.put(t, "install-web", keyvault.CertificateOptions{WithChain: true, RootFirst: true, Names: []string{"web.example.com"}})
	partner := env.put(t, "install-partner", keyvault.CertificateOptions{ContentType: keyvault.PEM})
	legacy := env.put(t, "install-legacy", keyvault.CertificateOptions{LegacyPFX: true, KeyType: keyvault.RSA3072})
	env.create(t, "install-web", env.shop.SecretURL("install-web"), nil)
	env.create(t, "install-partner", env.shop.SecretURL("install-partner"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.CertificateStoreLocation = "CURRENT_USER"
	})
	env.create(t, "install-legacy", env.shop.SecretURL("install-legacy"), nil)
	env.installed(t, "install-web", web)
	env.installed(t, "install-partner", partner)
	env.installed(t, "install-legacy", legacy)
	env.holds(t, "install-web", my, web)
	env.holds(t, "install-partner", `CurrentUser\MY`, partner)
	env.holds(t, "install-legacy", my, legacy)
	all, err := env.machine.List(t.Context())
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
	thumbprint := env.put(t, "ec", keyvault.CertificateOptions{KeyType: keyvault.P256})
	env.create(t, "ec", env.shop.SecretURL("ec"), nil)
	if env.kind == node.Native || *providerFlag == "" {
		env.installed(t, "ec", thumbprint)
		env.holds(t, "ec", my, thumbprint)
		return
	}
	entry := env.fails(t, "ec", v1alpha1.ReasonUnsupported) // CAPI has no EC keys, on Windows too
	if !strings.Contains(entry.Message, "use keyStorageProvider CNG") {
		t.Errorf("the message does not say what to do: %s", entry.Message)
	}
}

func TestARotationArrivesWithTheNextSlot(t *testing.T) {
	first := env.put(t, "slot", keyvault.CertificateOptions{})
	env.create(t, "slot", env.shop.SecretURL("slot"), func(spec *v1alpha1.ObservedCertificateSpec) { spec.PollingIntervalInS = 30 })
	env.installed(t, "slot", first)
	second := env.rotate(t, "slot")
	env.installed(t, "slot", second)
	env.holds(t, "slot", my, first, second)
}

func TestRequestedAtPollsNowAndOnce(t *testing.T) {
	first := env.put(t, "asked", keyvault.CertificateOptions{})
	env.create(t, "asked", env.shop.SecretURL("asked"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.PollingIntervalInS = 30 * 24 * 3600 // so that no slot falls between the last renewal of the Lease and the restart
	})
	env.installed(t, "asked", first)
	second := env.rotate(t, "asked")
	value := env.ask(t, "asked")
	env.installed(t, "asked", second)
	env.holds(t, "asked", my, first, second)
	entry, err := env.entry(t, "asked")
	if err != nil || entry.RequestedAt != value {
		t.Errorf("the node reports requestedAt %q, want %q (%v)", entry.RequestedAt, value, err)
	}
	before := env.shop.Stats().BySecret["asked"]
	env.restartAgent(t)
	witness := env.put(t, "asked-witness", keyvault.CertificateOptions{})
	env.create(t, "asked-witness", env.shop.SecretURL("asked-witness"), nil)
	env.installed(t, "asked-witness", witness) // the new agent is at work
	if after := env.shop.Stats().BySecret["asked"]; after != before || before != 2 {
		t.Errorf("the vault saw %d requests, and %d after a restart; want 2 and 2", before, after)
	}
}

func TestDriftIsRepaired(t *testing.T) {
	thumbprint := env.put(t, "drift", keyvault.CertificateOptions{})
	env.create(t, "drift", env.shop.SecretURL("drift"), nil)
	env.installed(t, "drift", thumbprint)
	env.forget(t, thumbprint)
	await.That(t, "the certificate is back", func() (bool, error) {
		held := env.held(t, "drift")
		return len(held) == 1 && held[0].Thumbprint == thumbprint && held[0].Key == "Present", nil
	})
}

func TestAnotherStore(t *testing.T) {
	thumbprint := env.put(t, "moved", keyvault.CertificateOptions{})
	env.create(t, "moved", env.shop.SecretURL("moved"), nil)
	env.installed(t, "moved", thumbprint)
	env.change(t, "moved", func(certificate *v1alpha1.ObservedCertificate) { certificate.Spec.CertificateStoreName = "WebHosting" })
	await.That(t, "the new generation is reported", func() (bool, error) {
		entry, err := env.entry(t, "moved")
		return entry.Generation == 2 && entry.State == v1alpha1.StateInstalled, err
	})
	env.holds(t, "moved", `LocalMachine\WebHosting`, thumbprint)
	env.holds(t, "moved", my, thumbprint) // deletionPolicy Retain
}

func TestDeletionPolicyDelete(t *testing.T) {
	thumbprint := env.put(t, "deleted", keyvault.CertificateOptions{})
	env.create(t, "deleted", env.shop.SecretURL("deleted"), func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.DeletionPolicy = v1alpha1.DeletionDelete
	})
	env.installed(t, "deleted", thumbprint)
	env.delete(t, "deleted")
	env.gone(t, "deleted")
	await.That(t, "the certificate is gone", func() (bool, error) { return len(env.held(t, "deleted")) == 0, nil })
}

func TestAPinnedVersionStays(t *testing.T) {
	first := env.put(t, "pinned", keyvault.CertificateOptions{})
	version := env.shop.Versions("pinned")[0]
	second := env.rotate(t, "pinned")
	env.create(t, "pinned", env.shop.SecretURL("pinned")+"/"+version, nil)
	env.installed(t, "pinned", first)
	asked := env.ask(t, "pinned")
	await.That(t, "the poll is done", func() (bool, error) {
		entry, err := env.entry(t, "pinned")
		return entry.RequestedAt == asked, err
	})
	env.installed(t, "pinned", first)
	env.change(t, "pinned", func(certificate *v1alpha1.ObservedCertificate) {
		certificate.Spec.URL = env.shop.SecretURL("pinned")
	})
	env.installed(t, "pinned", second)
}

func TestAWrongHostIsNeverAsked(t *testing.T) {
	stranger := env.vaults.Vault("elsewhere")
	tokens := env.vaults.TokenRequests()
	elsewhere := strings.Replace(stranger.SecretURL("secret"), "localhost", "127.0.0.1", 1) // the allow-list names localhost
	env.create(t, "elsewhere", elsewhere, nil)
	entry := env.fails(t, "elsewhere", v1alpha1.ReasonVaultNotAllowed)
	if !strings.Contains(entry.Message, "127.0.0.1") {
		t.Errorf("the message does not name the host: %s", entry.Message)
	}
	if stats := stranger.Stats(); stats.Connections != 0 || stats.Requests != 0 || stats.Unauthorized != 0 {
		t.Errorf("the host was reached: %+v", stats)
	}
	if now := env.vaults.TokenRequests(); now != tokens {
		t.Errorf("%d tokens were requested", now-tokens)
	}
}

func TestStopTakesNoTime(t *testing.T) {
	if env.kind == node.Wine {
		t.Skip("Wine cannot be sent CTRL_SHUTDOWN_EVENT; docs/testing.md lists it")
	}
	// A clean end waits for 30 s, controller-runtime's default. This is less, and far more than a busy machine needs.
	took, err := env.agent.Stop(20 * time.Second)
	if err != nil {
		t.Error(err)
	}
	t.Logf("the agent took %s to stop", took)
	env.restartAgent(t)
}
