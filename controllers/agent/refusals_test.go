package agent_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// beyond are specs that the agent does not support, see unsupported in internal/engine/desired.go. The current CRD rejects them,
// except for spellings that its rules do not know: they represent objects from before these rules.
var beyond = []struct {
	name, says string
	change     func(*v1alpha1.ObservedCertificateSpec)
}{
	{"display-name", "the store's own name is MY", func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.CertificateStoreName = "Per-sonal"
	}},
	{"display-name-of-trust", "the store's own name is Root", func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.CertificateStoreName, spec.Accounts = "Trusted Root Certification Author-ities", []string{`NT AUTHORITY\NETWORK SERVICE`}
	}},
}

func TestASpecThatIsOnlyPartlySupportedIsRefused(t *testing.T) {
	m := newMachine(t, "beyond")
	for _, spec := range beyond {
		m.put(spec.name, vaulttest.CertificateOptions{WithChain: true})
		m.create(spec.name, spec.change)
	}
	for _, spec := range beyond {
		entry := m.fails(spec.name, v1alpha1.ReasonUnsupported, spec.says, "nothing was installed")
		if entry.State != v1alpha1.StateFailed || entry.Thumbprint != "" {
			t.Errorf("%s: the node reports %+v", spec.name, entry)
		}
		m.warned(spec.name, v1alpha1.ReasonUnsupported)
		m.sawRequests(spec.name, 0)
	}
	if writes := m.store.written(0); len(writes) != 0 {
		t.Errorf("the store was written: %q", writes)
	}
}

func TestAnInstalledCertificateStaysWhenItsSpecBecomesUnsupported(t *testing.T) {
	m := newMachine(t, "too-far")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", deleteWhenGone)
	m.installed("web", web)
	m.host.set(func(h *host) {
		h.away = &certstore.Error{Operation: "granting an account the private key", Unsupported: true, Err: errors.New("no accounts here")}
	})
	m.changeSpec("web", granting(poolAccount))
	entry := m.fails("web", v1alpha1.ReasonUnsupported)
	if entry.Thumbprint != web || entry.Generation != m.generation("web") {
		t.Errorf("the node reports %+v, want what is still installed, for the new spec", entry)
	}
	m.storeIsRead()
	m.holds(my, web)
}

// pemBlocks returns the blocks of one type in a PEM secret of the vault.
func (m *machine) pemBlocks(name, kind string) string {
	m.t.Helper()
	m.put(name, vaulttest.CertificateOptions{ContentType: vaulttest.PEM, WithChain: true})
	var blocks strings.Builder
	for _, part := range strings.SplitAfter(string(m.secret(name).Value), "-----END "+kind+"-----\n") {
		if _, block, found := strings.Cut(part, "-----BEGIN "+kind+"-----"); found {
			blocks.WriteString("-----BEGIN " + kind + "-----" + block)
		}
	}
	return blocks.String()
}

// bad are secrets that hold no usable certificate, and what the message says.
var bad = []struct {
	name   string
	make   func(m *machine, name string)
	reason v1alpha1.Reason
	state  v1alpha1.CertificateState
	says   string
}{
	{"unknown", func(*machine, string) {}, v1alpha1.ReasonSecretNotFound, v1alpha1.StateFailed, "was not found"},
	{"disabled", func(m *machine, name string) {
		m.put(name, vaulttest.CertificateOptions{})
		m.must(m.vault.Disable(m.full(name), ""))
	}, v1alpha1.ReasonSecretDisabled, v1alpha1.StateFailed, "enable that version"},
	{"deleted", func(m *machine, name string) {
		m.put(name, vaulttest.CertificateOptions{})
		m.must(m.vault.Delete(m.full(name)))
	}, v1alpha1.ReasonSecretNotFound, v1alpha1.StateFailed, "deleted but recoverable"},
	{"early", func(m *machine, name string) {
		m.put(name, vaulttest.CertificateOptions{})
		m.must(m.vault.SetValidity(m.full(name), "", m.clock.Now().Add(pollingInterval/2), time.Time{}))
	}, v1alpha1.ReasonSecretNotYetValid, v1alpha1.StatePending, "activation date"},
	{"no-certificate", func(m *machine, name string) {
		m.vault.PutRaw(m.full(name), "text/plain", "hunter2")
	}, v1alpha1.ReasonUnsupportedContentType, v1alpha1.StateFailed, "content type"},
	{"malformed", func(m *machine, name string) {
		m.vault.PutRaw(m.full(name), "application/x-pkcs12", base64.StdEncoding.EncodeToString([]byte("hunter2")))
	}, v1alpha1.ReasonMalformedSecret, v1alpha1.StateFailed, "PFX"},
	{"keyless", func(m *machine, name string) {
		m.vault.PutRaw(m.full(name), "application/x-pem-file", m.pemBlocks("source", "CERTIFICATE"))
	}, v1alpha1.ReasonPrivateKeyMissing, v1alpha1.StateFailed, "no private key"},
	{"mismatch", func(m *machine, name string) {
		m.vault.PutRaw(m.full(name), "application/x-pem-file", m.pemBlocks("one", "PRIVATE KEY")+m.pemBlocks("another", "CERTIFICATE"))
	}, v1alpha1.ReasonKeyMismatch, v1alpha1.StateFailed, "matches none"},
}

func (m *machine) must(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func TestABadCertificateDoesNotStopTheOthers(t *testing.T) {
	m := newMachine(t, "bad")
	for _, one := range bad {
		one.make(m, one.name)
		m.create(one.name)
	}
	good := m.put("good", vaulttest.CertificateOptions{})
	m.create("good")
	m.create("other-host", of(strings.Replace(m.url("good"), "localhost", "127.0.0.1", 1)))
	m.installed("good", good)
	for _, one := range bad {
		entry := m.fails(one.name, one.reason, one.says, m.url(one.name)[len("https://"):len(m.vault.URL())])
		if entry.State != one.state || entry.Thumbprint != "" || entry.Since == nil || entry.Generation != m.generation(one.name) {
			t.Errorf("%s: the node reports %+v", one.name, entry)
		}
		m.warned(one.name, one.reason)
	}
	m.fails("other-host", v1alpha1.ReasonVaultNotAllowed, "127.0.0.1", "--allowed-vault-hosts")
	m.holds(my, good)

	for _, one := range bad { // it is corrected in the vault
		m.must(m.vault.Recover(m.full("deleted")))
		m.put(one.name, vaulttest.CertificateOptions{})
	}
	m.nextSlot()
	for _, one := range bad {
		m.installed(one.name, m.vault.Thumbprint(m.full(one.name)))
	}
}

func TestACertificateStaysInstalledWhenTheVaultsBecomesBad(t *testing.T) {
	m := newMachine(t, "gone-bad")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", keeping(0))
	m.installed("web", web)
	m.vault.PutRaw(m.full("web"), "application/x-pkcs12", "bm9uc2Vuc2U=")
	m.nextSlot()
	entry := m.fails("web", v1alpha1.ReasonMalformedSecret)
	m.warned("web", v1alpha1.ReasonMalformedSecret)
	m.nextSlot()
	m.reconcilesAgain("web")
	m.sawRequests("web", 3)
	m.warned("web", v1alpha1.ReasonMalformedSecret) // and no second event: nothing has changed
	if entry.Thumbprint != web || entry.State != v1alpha1.StateFailed {
		t.Errorf("the node reports %+v, want Failed with what is installed", entry)
	}
	m.holds(my, web)
}

func TestAnExpiredCertificateIsInstalledAndReported(t *testing.T) {
	m := newMachine(t, "expired")
	web := m.put("web", vaulttest.CertificateOptions{NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-time.Hour)})
	m.create("web")
	entry := m.fails("web", v1alpha1.ReasonExpired, "renew it in the vault")
	if entry.Thumbprint != web {
		t.Errorf("the node reports %+v, want it with its thumbprint", entry)
	}
	m.holds(my, web)
}
