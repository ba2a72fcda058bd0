package agent_test

import (
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// cause is what the faulty store's errors say.
const cause = "ERROR_SHARING_VIOLATION"

// longWait is longer than any retry after a transient failure, and than the first ones after a waiting failure.
const longWait = 10 * time.Minute

// others asks for a certificate in two stores, and checks that a failure elsewhere does not affect them.
func (m *machine) others() {
	m.t.Helper()
	other := m.put("other", vaulttest.CertificateOptions{})
	m.create("other")
	m.create("elsewhere", of(m.url("other")), inStore("WebHosting"))
	m.installed("other", other)
	m.installed("elsewhere", other)
}

func TestAnInstallationThatFailsIsRepeated(t *testing.T) {
	m := newMachine(t, "fault-install")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.store.breaks("Install", web, false)
	m.create("web")
	entry := m.fails("web", v1alpha1.ReasonStoreFailure, "installing", my.String(), cause)
	if entry.State != v1alpha1.StatePending || entry.Thumbprint != "" {
		t.Errorf("the node reports %+v, want Pending and nothing installed", entry)
	}
	m.warned("web", v1alpha1.ReasonStoreFailure)
	m.others()
	m.store.recover()
	m.installed("web", web) // after some seconds, without a request
}

func TestAStoreThatDeniesAccessIsAskedAgainLater(t *testing.T) {
	m := newMachine(t, "fault-denied")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.store.breaks("Install", web, true)
	m.create("web")
	if entry := m.fails("web", v1alpha1.ReasonStoreAccessDenied, "installing", cause); entry.State != v1alpha1.StateFailed {
		t.Errorf("the node reports %+v, want Failed", entry)
	}
	m.others()
	m.store.recover()
	m.pass(longWait)
	m.installed("web", web)
	m.sawRequests("web", 2)
}

func TestAStoreThatCannotBeReadIsReadAgain(t *testing.T) {
	m := newMachine(t, "fault-list")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.store.breaksIn("List", "Broken", "", false)
	m.create("web", inStore("Broken"))
	m.fails("web", v1alpha1.ReasonStoreFailure, "looking at the store", `LocalMachine\Broken`, cause)
	m.others()
	m.sawRequests("web", 0) // it is unknown whether it is needed
	m.store.recover()
	m.installed("web", web)
}

func TestATrimThatFailsIsRepeatedAndTheNewVersionReported(t *testing.T) {
	t.Run("at the removal", func(t *testing.T) {
		newMachine(t, "fault-remove").trimFails(func(m *machine, first, _ string) { m.store.breaks("Remove", first, false) })
	})
	t.Run("at the look for the successor", func(t *testing.T) {
		newMachine(t, "fault-find").trimFails(func(m *machine, _, second string) { m.store.breaks("Find", second, false) })
	})
}

func (m *machine) trimFails(breaks func(m *machine, first, second string)) {
	m.t.Helper()
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", keeping(0))
	m.installed("web", first)
	second := m.rotate("web")
	breaks(m, first, second)
	m.nextSlot()
	entry := m.fails("web", v1alpha1.ReasonStoreFailure, cause)
	if entry.State != v1alpha1.StatePending || entry.Thumbprint != second || entry.Version != m.vault.Versions(m.full("web"))[1] {
		m.t.Errorf("the node reports %+v, want the new version, which is in the store", entry)
	}
	m.holds(my, first, second)
	m.others()
	m.store.recover()
	m.pass(longWait)
	m.installed("web", second)
	m.holds(my, second, m.vault.Thumbprint(m.full("other")))
}

func TestAMarkThatCannotBeRenewedIsNotReportedAsDone(t *testing.T) {
	m := newMachine(t, "fault-update")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", web)
	m.store.breaks("Update", web, false)
	m.changeSpec("web", deleteWhenGone)
	changed := m.generation("web")
	m.reported("web", "with StoreFailure", func(entry *v1alpha1.CertificateEntry) bool {
		if entry.Generation == changed && entry.State == v1alpha1.StateInstalled {
			t.Fatalf("the node reports the new spec as done: %+v", entry)
		}
		return entry.Reason == v1alpha1.ReasonStoreFailure && entry.Generation == changed && entry.Thumbprint == web
	})
	m.others()
	m.store.recover()
	m.pass(longWait)
	m.installed("web", web)
	if mark := m.markOf(my, web); mark.DeletionPolicy != "Delete" {
		t.Errorf("the mark is %+v, want the new policy in it", mark)
	}
}

func TestAStoreThatCannotBeReadDoesNotAffectTheOthers(t *testing.T) {
	m := newMachine(t, "fault-check")
	broken, web := m.put("broken", vaulttest.CertificateOptions{}), m.put("web", vaulttest.CertificateOptions{})
	orphan := m.put("orphan", vaulttest.CertificateOptions{})
	m.create("broken", inStore("Broken")) // which is read before MY
	m.create("web")
	m.create("orphan", inStore("WebHosting"), deleteWhenGone)
	m.installed("broken", broken)
	m.installed("web", web)
	m.installed("orphan", orphan)

	m.store.breaksIn("List", "Broken", "", true)
	m.removeBehind(my, web)
	m.holds(my, web)
	m.installed("broken", broken) // nothing is known to be wrong with it
	m.stop()
	m.delete("orphan")
	m.start()
	m.holds(webHosting)
	m.fails("broken", v1alpha1.ReasonStoreAccessDenied, `LocalMachine\Broken`)
	m.installed("web", web)
	m.store.recover()
	m.pass(longWait)
	m.installed("broken", broken)
}

// removeBehind removes a certificate as another program would.
func (m *machine) removeBehind(ref certstore.Ref, thumbprint string) {
	m.t.Helper()
	if err := m.openStore().Remove(ref, thumbprint); err != nil {
		m.t.Fatal(err)
	}
}

func TestACertificateThatCannotBeRemovedDoesNotStopTheOthers(t *testing.T) {
	m := newMachine(t, "fault-orphan")
	removed, stuck := m.put("removed", vaulttest.CertificateOptions{}), m.put("stuck", vaulttest.CertificateOptions{})
	m.create("stuck", deleteWhenGone, inStore("Broken")) // which is looked at before MY
	m.create("removed", deleteWhenGone)
	m.installed("stuck", stuck)
	m.installed("removed", removed)
	m.store.breaks("Remove", stuck, false)
	m.delete("stuck")
	m.gone("stuck")
	m.delete("removed")
	m.gone("removed")
	m.holds(my)
	brokenStore := certstore.Ref{Location: certstore.LocalMachine, Name: "Broken"}
	m.holds(brokenStore, stuck)
	m.store.recover()
	m.holds(brokenStore)
}
