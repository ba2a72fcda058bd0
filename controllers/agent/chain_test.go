package agent_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// intermediateOf returns the certificate that issued one in the vault.
func (m *machine) intermediateOf(name string) certstore.Item {
	m.t.Helper()
	secret := m.secret(name)
	parsed, err := bundle.Parse(secret.ContentType, secret.Value, time.Now())
	m.must(err)
	return certstore.Item{Certificate: parsed.Chain[0]}
}

// authorities waits until CA holds exactly these certificates.
func (m *machine) authorities(thumbprints ...string) {
	m.t.Helper()
	m.eventually(fmt.Sprintf("CA holds exactly %v", thumbprints), func() (bool, error) {
		held := m.held(ca)
		for _, thumbprint := range thumbprints {
			if _, ok := held[thumbprint]; !ok {
				return false, fmt.Errorf("it lacks %s", thumbprint)
			}
		}
		return len(held) == len(thumbprints), nil
	})
}

func TestAnIntermediateGoesWithTheLastCertificateThatNeedsIt(t *testing.T) {
	m := newMachine(t, "chain")
	first, second := m.put("first", vaulttest.CertificateOptions{WithChain: true}), m.put("second", vaulttest.CertificateOptions{WithChain: true})
	intermediate := certstore.Thumbprint(m.intermediateOf("first").Certificate)
	m.create("first", deleteWhenGone)
	m.installed("first", first)
	m.create("second", deleteWhenGone)
	m.installed("second", second)
	m.authorities(intermediate)

	m.delete("first") // whose mark the intermediate carries
	m.gone("first")
	m.holds(my, second)
	m.storeIsRead() // so that the sweep is done
	m.storeIsRead()
	m.authorities(intermediate)
	m.delete("second")
	m.gone("second")
	m.holds(my)
	m.authorities()
}

func TestAnIntermediateStaysWithItsCertificateThatIsRetained(t *testing.T) {
	m := newMachine(t, "chain-retain")
	web := m.put("web", vaulttest.CertificateOptions{WithChain: true})
	intermediate := certstore.Thumbprint(m.intermediateOf("web").Certificate)
	m.create("web")
	m.installed("web", web)
	m.delete("web")
	m.gone("web")
	m.storeIsRead()
	m.storeIsRead()
	m.holds(my, web)
	m.authorities(intermediate)
}

func TestARemovedIntermediateIsRepaired(t *testing.T) {
	m := newMachine(t, "chain-drift")
	web := m.put("web", vaulttest.CertificateOptions{WithChain: true})
	intermediate := certstore.Thumbprint(m.intermediateOf("web").Certificate)
	m.create("web")
	m.installed("web", web)
	m.removeBehind(ca, intermediate)
	m.authorities(intermediate)
	m.installed("web", web)
	m.holds(my, web)
	if writes := m.store.written(0); countOf(writes, "Install "+my.String()+" "+web) != 1 {
		t.Errorf("the certificate itself was installed again: %q", writes)
	}
}

func TestAnotherToolsIntermediateIsUsedAndStays(t *testing.T) {
	m := newMachine(t, "chain-foreign")
	web := m.put("web", vaulttest.CertificateOptions{WithChain: true})
	item := m.intermediateOf("web")
	thumbprint := certstore.Thumbprint(item.Certificate)
	m.putByHandIn(ca, item)
	before := m.held(ca)[thumbprint]
	if before.Mark != nil {
		t.Fatalf("CA begins with %+v", before)
	}
	m.create("web", deleteWhenGone)
	m.installed("web", web)
	m.delete("web")
	m.gone("web")
	m.holds(my)
	m.storeIsRead()
	m.storeIsRead()
	if diff := cmp.Diff(before, m.held(ca)[thumbprint]); diff != "" {
		t.Errorf("it was changed (-before +after):\n%s", diff)
	}
}

func TestAnIntermediateStaysForAnotherToolsCertificateInAnyStore(t *testing.T) {
	m := newMachine(t, "chain-needed")
	web := m.put("web", vaulttest.CertificateOptions{WithChain: true})
	m.put("theirs", vaulttest.CertificateOptions{})
	intermediate := certstore.Thumbprint(m.intermediateOf("web").Certificate)
	remoteDesktop := certstore.Ref{Location: certstore.LocalMachine, Name: "Remote Desktop"} // which no ObservedCertificate names
	m.putByHandIn(remoteDesktop, m.takeFromVault("theirs"))
	m.create("web", deleteWhenGone)
	m.installed("web", web)
	m.delete("web")
	m.gone("web")
	m.holds(my)
	m.storeIsRead()
	m.storeIsRead()
	m.authorities(intermediate)
	m.removeBehind(remoteDesktop, m.vault.Thumbprint(m.full("theirs")))
	m.authorities()
}

func TestAnIntermediateIsNeededAlsoWhenTheVaultLeavesItOut(t *testing.T) {
	m := newMachine(t, "chain-new")
	m.put("web", vaulttest.CertificateOptions{WithChain: true})
	m.create("web", keeping(0))
	m.installed("web", m.vault.Thumbprint(m.full("web")))
	m.authorities(certstore.Thumbprint(m.intermediateOf("web").Certificate))
	second := m.put("web", vaulttest.CertificateOptions{}) // which comes without its chain, from the same issuer
	m.nextSlot()
	m.installed("web", second)
	m.holds(my, second)
	m.storeIsRead()
	m.storeIsRead()
	if held := m.held(ca); len(held) != 1 {
		t.Errorf("CA holds %d certificates, want the one that the new certificate was issued by", len(held))
	}
}
