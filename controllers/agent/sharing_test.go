package agent_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestTwoObservedCertificatesShareOneCertificate(t *testing.T) {
	m := newMachine(t, "shared")
	web := m.put("older", vaulttest.CertificateOptions{})
	older := m.create("older", deleteWhenGone)
	m.installed("older", web)
	younger := m.create("younger", of(m.url("older")), deleteWhenGone)
	m.installed("younger", web)
	m.holds(my, web)
	if mark := m.markOf(my, web); mark.UID != string(older.UID) {
		t.Errorf("the mark is of %s, want the one who installed it", mark.Name)
	}

	m.delete("older")
	m.passesTo(web, younger, false)
	m.installed("younger", web)
	m.delete("younger")
	m.holds(my)
}

// passesTo waits until a certificate carries the mark of another ObservedCertificate, and checks that it never left.
func (m *machine) passesTo(thumbprint string, newOwner *v1alpha1.ObservedCertificate, exportable bool) {
	m.t.Helper()
	m.eventually("the mark passes to "+newOwner.Name, func() (bool, error) {
		mark := m.markOf(my, thumbprint)
		return mark != nil && mark.UID == string(newOwner.UID) && mark.Exportable == exportable, nil
	})
	for _, write := range m.store.written(0) {
		if write == "Remove "+my.String()+" "+thumbprint {
			m.t.Error("the certificate was removed in between")
		}
	}
}

func TestOfTwoObservedCertificatesWithOtherKeyOptionsTheOlderWins(t *testing.T) {
	m := newMachine(t, "conflict")
	web := m.put("older", vaulttest.CertificateOptions{})
	m.create("older", deleteWhenGone)
	m.installed("older", web)
	younger := m.create("younger", of(m.url("older")), exportable, deleteWhenGone)
	m.fails("younger", v1alpha1.ReasonConflict, `"`+m.full("older")+`"`, my.String(), "keyExportable")
	m.warned("younger", v1alpha1.ReasonConflict)
	if mark := m.markOf(my, web); mark.Exportable {
		t.Error("the key has become exportable, against the older one's spec")
	}

	m.delete("older")
	m.passesTo(web, younger, false) // at once, as the key is, so that it is never gone
	m.nextSlot()
	m.passesTo(web, younger, true) // and then as the younger one wants it
	m.installed("younger", web)
}

func TestASuspendedObservedCertificateTakesOverASharedCertificateAfterARestart(t *testing.T) {
	m := newMachine(t, "new-owner")
	web := m.put("older", vaulttest.CertificateOptions{})
	m.create("older", deleteWhenGone)
	m.installed("older", web)
	m.create("younger", of(m.url("older")))
	m.installed("younger", web)
	m.changeSpec("younger", suspended)
	m.fails("younger", v1alpha1.ReasonSuspended)
	m.stop()
	m.delete("older")
	m.start()
	m.gone("older")
	younger, err := m.front.get(m.full("younger"))
	m.must(err)
	m.passesTo(web, younger, false)
	m.holds(my, web)
}

// takeFromVault returns a certificate with its key as the vault has it.
func (m *machine) takeFromVault(name string) certstore.Item {
	m.t.Helper()
	secret := m.secret(name)
	parsed, err := bundle.Parse(secret.ContentType, secret.Value, time.Now())
	if err != nil {
		m.t.Fatal(err)
	}
	return certstore.Item{Certificate: parsed.Leaf, Key: parsed.Key, FriendlyName: "another tool's"}
}

// secret reads a secret as the agent does.
func (m *machine) secret(name string) keyvault.Secret {
	m.t.Helper()
	vaults, err := keyvault.New(keyvault.Options{AllowedHosts: []string{"localhost"}, CABundle: m.caPEM, DisableChallengeResourceVerification: true})
	if err != nil {
		m.t.Fatal(err)
	}
	url, err := keyvault.ParseURL(m.url(name))
	if err != nil {
		m.t.Fatal(err)
	}
	secret, err := vaults.Get(m.t.Context(), url, "", time.Now())
	if err != nil {
		m.t.Fatal(err)
	}
	return secret
}

// putByHand puts a certificate into MY as another tool does, with nothing in its file that says whose it is.
func (m *machine) putByHand(item certstore.Item) {
	m.t.Helper()
	m.putByHandIn(my, item)
}

func (m *machine) putByHandIn(ref certstore.Ref, item certstore.Item) {
	m.t.Helper()
	entry, err := m.openStore().Install(ref, item)
	if err != nil {
		m.t.Fatal(err)
	}
	file := filepath.Join(m.store.root, string(ref.Location), strings.ToUpper(ref.Name), entry.Thumbprint+".pem")
	text, err := os.ReadFile(file)
	if err != nil {
		m.t.Fatal(err)
	}
	text = regexp.MustCompile(`(?m)^# .*\n`).ReplaceAll(text, nil)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func TestAnotherToolsCertificateIsUsedAndNotChanged(t *testing.T) {
	m := newMachine(t, "foreign")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.putByHand(m.takeFromVault("web"))
	before := m.held(my)[web]
	if before.Mark != nil || before.Key != certstore.KeyPresent {
		t.Fatalf("the store begins with %+v", before)
	}

	m.create("web", exportable, deleteWhenGone, keeping(0))
	m.installed("web", web)
	second := m.rotate("web")
	m.nextSlot()
	m.installed("web", second)
	m.holds(my, web, second) // it is not ours to trim
	m.delete("web")
	m.gone("web")
	m.holds(my, web)
	if diff := cmp.Diff(before, m.held(my)[web]); diff != "" {
		t.Errorf("it was changed (-before +after):\n%s", diff)
	}
}

func TestAnotherToolsCertificateWithoutItsKeyIsAConflict(t *testing.T) {
	m := newMachine(t, "foreign-keyless")
	web := m.put("web", vaulttest.CertificateOptions{})
	item := m.takeFromVault("web")
	item.Key = nil
	m.putByHand(item)
	m.create("web")
	m.fails("web", v1alpha1.ReasonConflict, web, "another tool", "remove it, so that")
	if entry := m.held(my)[web]; entry.Mark != nil || entry.Key != certstore.KeyNone {
		t.Errorf("it was changed: %+v", entry)
	}

	m.removeBehind(my, web) // as the message says
	m.storeIsRead()
	m.nextSlot()
	m.installed("web", web)
	m.holds(my, web)
}
