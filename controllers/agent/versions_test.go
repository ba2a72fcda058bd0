package agent_test

import (
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestADisabledOrDeletedVersionLeavesTheInstalledOne(t *testing.T) {
	tests := []struct {
		name         string
		harm, repair func(m *machine) error
		reason       v1alpha1.Reason
		says, advice string
	}{
		{"disabled", func(m *machine) error { return m.vault.Disable(m.full("web"), "") },
			func(m *machine) error { return m.vault.Enable(m.full("web"), "") },
			v1alpha1.ReasonSecretDisabled, "disabled secret", "enable that version in the vault or create a new one; the installed certificate stays in place"},
		{"deleted", func(m *machine) error { return m.vault.Delete(m.full("web")) },
			func(m *machine) error { return m.vault.Recover(m.full("web")) },
			v1alpha1.ReasonSecretNotFound, "deleted but recoverable", "recover the certificate in the vault if it was deleted; the installed certificate stays in place"},
	}
	for _, test := range tests {
		t.Run("the installed one is "+test.name, func(t *testing.T) {
			m := newMachine(t, "version-"+test.name)
			web := m.put("web", vaulttest.CertificateOptions{})
			m.create("web", keeping(0))
			version := m.installed("web", web).Version
			m.must(test.harm(m))
			m.nextSlot()
			entry := m.fails("web", test.reason, test.says, test.advice)
			if entry.Thumbprint != web || entry.Version != version || entry.State != v1alpha1.StateInstalled {
				t.Errorf("the node reports %+v, want Installed, with the reason why a renewal would not be installed", entry)
			}
			m.warned("web", test.reason)
			m.holds(my, web)
			m.must(test.repair(m))
			m.nextSlot()
			m.installed("web", web)
			m.holds(my, web)
		})
	}
}

// Disabling a bad version keeps the nodes on the previous one, whether they have installed it or not.
func TestANewVersionThatIsDisabledIsNotInstalledAndTheNextOneIs(t *testing.T) {
	m := newMachine(t, "version-new")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", first)
	m.rotate("web")
	m.must(m.vault.Disable(m.full("web"), ""))
	m.nextSlot()
	if entry := m.fails("web", v1alpha1.ReasonSecretDisabled); entry.Thumbprint != first {
		t.Errorf("the node reports %+v, want what is installed", entry)
	}
	m.holds(my, first)
	third := m.rotate("web")
	m.nextSlot()
	m.installed("web", third)
	m.holds(my, first, third)
}

func TestAPinnedVersionStaysUntilTheURLNamesAnother(t *testing.T) {
	m := newMachine(t, "version-pinned")
	first := m.put("web", vaulttest.CertificateOptions{})
	second := m.rotate("web")
	versions := m.vault.Versions(m.full("web"))
	m.create("web", of(m.url("web")+"/"+versions[0]), keeping(0))
	if entry := m.installed("web", first); entry.Version != versions[0] {
		t.Errorf("the node reports %+v, want version %s", entry, versions[0])
	}
	m.nextSlot()
	m.reconcilesAgain("web")
	m.holds(my, first)
	m.changeSpec("web", of(m.url("web")+"/"+versions[1]))
	m.installed("web", second)
	m.must(m.vault.Disable(m.full("web"), versions[1]))
	m.nextSlot()
	if entry := m.fails("web", v1alpha1.ReasonSecretDisabled, "the installed certificate stays in place"); entry.Thumbprint != second {
		t.Errorf("the node reports %+v, want what is installed", entry)
	}
	m.changeSpec("web", of(m.url("web"))) // the newest: that one
	m.fails("web", v1alpha1.ReasonSecretDisabled)
	m.holds(my, second)
}
