package agent_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func linked(spec *v1alpha1.ObservedCertificateSpec) { spec.LinkOnRenewal = true }

// issue creates a version of a certificate in the vault that has been valid for so many days, which decides which of two is the
// predecessor.
func (m *machine) issue(name string, daysAgo int, names ...string) string {
	m.t.Helper()
	return m.put(name, vaulttest.CertificateOptions{NotBefore: time.Now().AddDate(0, 0, -daysAgo), Names: names})
}

// renewed waits until exactly these certificates in MY are linked to one that renews them.
func (m *machine) renewed(successors map[string]string) {
	m.t.Helper()
	m.eventually(fmt.Sprintf("the links are %v", successors), func() (bool, error) {
		for thumbprint, entry := range m.held(my) {
			if entry.Successor != successors[thumbprint] {
				return false, fmt.Errorf("%s is linked to %q", thumbprint, entry.Successor)
			}
		}
		return true, nil
	})
}

// announced checks which replaced certificates were announced to the machine.
func (m *machine) announced(want ...string) {
	m.t.Helper()
	if got := m.host.announcements(); !slices.Equal(got, want) {
		m.t.Errorf("announced to the machine was %q, want %q", got, want)
	}
}

func TestARenewalIsLinkedAndAnnouncedOnce(t *testing.T) {
	m := newMachine(t, "link")
	first := m.issue("web", 3)
	m.create("web", linked)
	m.installed("web", first)
	m.announced()
	second := m.issue("web", 2)
	m.nextSlot()
	m.installed("web", second)
	m.renewed(map[string]string{first: second})
	m.announced(first + " by " + second)
	m.nextSlot()
	m.reconcilesAgain("web")
	m.stop()
	m.start()
	m.reconcilesAgain("web")
	m.announced(first + " by " + second)

	third := m.issue("web", 1)
	m.nextSlot()
	m.installed("web", third)
	m.renewed(map[string]string{first: third, second: third})
	m.holds(my, first, second, third)
}

func TestARenewalWithoutAllNamesIsNotLinked(t *testing.T) {
	m := newMachine(t, "link-names")
	first := m.issue("web", 3, "shop.example.com", "www.example.com")
	m.create("web", linked)
	m.installed("web", first)
	m.host.set(func(h *host) { h.bindings = map[string][]string{first: {"0.0.0.0:443"}} })
	second := m.issue("web", 2, "shop.example.com")
	m.nextSlot()
	m.declines("web", second, "lacks www.example.com", first, "still serves 0.0.0.0:443")
	m.warned("web", v1alpha1.ReasonLinkDeclined)
	m.renewed(nil)
	m.announced()
	third := m.issue("web", 1, "*.example.com") // has the names of both
	m.nextSlot()
	m.installed("web", third)
	m.renewed(map[string]string{first: third, second: third})
}

func TestWithoutLinkOnRenewalNothingIsLinkedAndLinksGo(t *testing.T) {
	m := newMachine(t, "link-off")
	first := m.issue("web", 3)
	m.create("web")
	m.installed("web", first)
	second := m.issue("web", 2)
	m.nextSlot()
	m.installed("web", second)
	m.renewed(nil)
	m.announced()
	m.changeSpec("web", linked)
	m.renewed(map[string]string{first: second})
	m.changeSpec("web", func(spec *v1alpha1.ObservedCertificateSpec) { spec.LinkOnRenewal = false })
	m.renewed(nil)
	m.announced(first + " by " + second) // a removed link is not announced
}

func TestAnOlderVersionThatIsPinnedClearsTheLinkToTheNewerOne(t *testing.T) {
	m := newMachine(t, "link-pin")
	first := m.issue("web", 3)
	m.create("web", linked)
	m.installed("web", first)
	second := m.issue("web", 2)
	m.nextSlot()
	m.installed("web", second)
	m.renewed(map[string]string{first: second})
	m.changeSpec("web", of(m.url("web")+"/"+m.vault.Versions(m.full("web"))[0]))
	m.declines("web", first, "newer than the current version", second)
	m.renewed(nil)
	m.holds(my, first, second)
	m.changeSpec("web", of(m.url("web")))
	m.installed("web", second)
	m.renewed(map[string]string{first: second})
}

func TestARollBackInTheVaultTurnsTheLinkRound(t *testing.T) {
	m := newMachine(t, "link-back")
	first := m.issue("web", 3)
	before := m.secret("web")
	m.create("web", linked)
	m.installed("web", first)
	second := m.issue("web", 2)
	m.nextSlot()
	m.installed("web", second)
	m.renewed(map[string]string{first: second})
	m.vault.PutRaw(m.full("web"), before.ContentType, string(before.Value)) // imported again, as another version
	m.nextSlot()
	m.installed("web", first)
	m.renewed(map[string]string{second: first}) // the vault's newest version, regardless of its validity
	m.holds(my, first, second)
	if mark := m.markOf(my, first); mark.Version != m.vault.Versions(m.full("web"))[2] {
		t.Errorf("the mark is %+v, want the version of the roll-back", mark)
	}
}

func TestARemovedLinkIsRepaired(t *testing.T) {
	m := newMachine(t, "link-drift")
	first := m.issue("web", 3)
	m.create("web", linked)
	m.installed("web", first)
	second := m.issue("web", 2)
	m.nextSlot()
	m.installed("web", second)
	m.renewed(map[string]string{first: second})
	nowhere := ""
	m.changeBehind(my, first, certstore.Change{Successor: &nowhere})
	m.renewed(map[string]string{first: second})
	m.sawRequests("web", 2)
	m.installed("web", second)
}

func TestALinkThatIsNotVaultpanesIsNotChanged(t *testing.T) {
	m := newMachine(t, "link-foreign")
	web := m.issue("web", 3)
	m.create("web")
	m.installed("web", web)
	elsewhere := strings.Repeat("0", 40) // of no certificate
	m.changeBehind(my, web, certstore.Change{Successor: &elsewhere})
	m.storeIsRead()
	m.nextSlot()
	m.reconcilesAgain("web")
	m.renewed(map[string]string{web: elsewhere})
}
