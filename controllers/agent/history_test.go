package agent_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestTheHistoryKeepsOneSupersededVersion(t *testing.T) {
	m := newMachine(t, "history")
	thumbprints := []string{m.put("web", vaulttest.CertificateOptions{})}
	m.create("web", keeping(1))
	m.installed("web", thumbprints[0])
	for range 3 {
		thumbprints = append(thumbprints, m.rotate("web"))
		m.nextSlot()
		m.installed("web", thumbprints[len(thumbprints)-1])
		m.holds(my, thumbprints[len(thumbprints)-2:]...)
	}
	want := []string{
		"Install " + my.String() + " " + thumbprints[0],
		"Install " + my.String() + " " + thumbprints[1],
		"Install " + my.String() + " " + thumbprints[2],
		"Remove " + my.String() + " " + thumbprints[0],
		"Install " + my.String() + " " + thumbprints[3],
		"Remove " + my.String() + " " + thumbprints[1],
	}
	if diff := cmp.Diff(want, m.store.written(0)); diff != "" {
		t.Errorf("the store's writes differ (-want +got):\n%s", diff)
	}
}

func TestAHistoryLimitThatComesLaterTrimsOldestFirst(t *testing.T) {
	m := newMachine(t, "trim")
	thumbprints := []string{m.put("web", vaulttest.CertificateOptions{})}
	m.create("web")
	m.installed("web", thumbprints[0])
	for range 2 {
		thumbprints = append(thumbprints, m.rotate("web"))
		m.nextSlot()
		m.installed("web", thumbprints[len(thumbprints)-1])
	}
	m.holds(my, thumbprints...)
	before := len(m.store.written(0))
	m.changeSpec("web", keeping(0))
	m.holds(my, thumbprints[2])
	want := []string{"Remove " + my.String() + " " + thumbprints[0], "Remove " + my.String() + " " + thumbprints[1]}
	if diff := cmp.Diff(want, m.store.written(before)); diff != "" {
		t.Errorf("the store's writes differ (-want +got):\n%s", diff)
	}
}

func TestWhileTheNewVersionIsNotYetValidTheOldOneStays(t *testing.T) {
	m := newMachine(t, "early")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", keeping(0))
	m.installed("web", first)
	second := m.put("web", vaulttest.CertificateOptions{NotBefore: m.clock.Now().Add(pollingInterval * 3 / 2)})
	if err := m.vault.SetValidity(m.full("web"), "", time.Time{}, time.Time{}); err != nil { // the certificate's alone
		t.Fatal(err)
	}
	m.nextSlot()
	entry := m.fails("web", v1alpha1.ReasonNotYetValid, "valid from", "the node's clock")
	if entry.State != v1alpha1.StatePending || entry.Thumbprint != second {
		t.Errorf("the node reports %+v, want Pending with the new version", entry)
	}
	m.holds(my, first, second)
	m.nextSlot()
	m.installed("web", second)
	m.holds(my, second)
}

func TestAnotherStoreIsFilledBeforeTheOldOneIsEmptied(t *testing.T) {
	m := newMachine(t, "move")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", deleteWhenGone)
	m.installed("web", web)
	m.changeSpec("web", inStore("WebHosting"))
	m.holds(webHosting, web)
	m.holds(my)
	m.reported("web", "for the new spec", func(e *v1alpha1.CertificateEntry) bool {
		return e.Generation == m.generation("web") && e.Thumbprint == web && e.State == v1alpha1.StateInstalled
	})
	want := []string{"Install " + my.String() + " " + web, "Install " + webHosting.String() + " " + web, "Remove " + my.String() + " " + web}
	if diff := cmp.Diff(want, m.store.written(0)); diff != "" {
		t.Errorf("the store's writes differ (-want +got):\n%s", diff)
	}
}

func TestAFormerStoreIsEmptiedAfterTheAgentDidNotRun(t *testing.T) {
	m := newMachine(t, "move-away")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", deleteWhenGone)
	m.installed("web", web)
	m.stop()
	m.changeSpec("web", inStore("WebHosting"))
	m.store.slow = 300 * time.Millisecond // so that the certificate is fetched before the stores are listed
	m.start()
	m.holds(webHosting, web)
	m.holds(my)
}
