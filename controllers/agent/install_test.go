package agent_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// awaited has nodes with the startup taint wait for a certificate, which does not concern the agent.
func awaited(spec *v1alpha1.ObservedCertificateSpec) { spec.RequireInitialSync = true }

func TestACertificateIsInstalledWithItsChainAndReported(t *testing.T) {
	m := newMachine(t, "install")
	ends := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	web := m.put("web", vaulttest.CertificateOptions{WithChain: true, RootFirst: true, NotAfter: ends})
	created := m.create("web", exportable, awaited)
	entry := m.installed("web", web)
	m.holds(my, web)

	version := m.vault.Versions(m.full("web"))[0]
	if entry.Generation != created.Generation || entry.Version != version || !entry.NotAfter.Time.Equal(ends) || entry.Since != nil || entry.Message != "" {
		t.Errorf("the node reports %+v, want version %s until %s", entry, version, ends)
	}
	want := &certstore.Mark{
		Name: created.Name, UID: string(created.UID), Source: certstore.SourceOf(created.Spec.URL), Version: version, DeletionPolicy: "Retain",
		Role: certstore.RoleLeaf, Exportable: true, Provider: "CNG",
	}
	if mark := m.markOf(my, web); time.Since(time.Unix(mark.Created, 0)).Abs() > time.Hour {
		t.Errorf("the mark says that the vault made it at %d", mark.Created)
	} else {
		want.Created = mark.Created
	}
	if diff := cmp.Diff(want, m.markOf(my, web)); diff != "" {
		t.Errorf("the mark differs (-want +got):\n%s", diff)
	}
	if name := m.held(my)[web].FriendlyName; !strings.HasPrefix(name, created.Name+" (localhost:") {
		t.Errorf("the friendly name is %q", name)
	}
	authorities := m.held(ca)
	if len(authorities) != 1 {
		t.Errorf("CA holds %d certificates, want the intermediate: roots go nowhere", len(authorities))
	}
	for _, one := range authorities {
		if one.Mark.Role != certstore.RoleIntermediate || one.Key != certstore.KeyNone || one.Mark.UID != string(created.UID) {
			t.Errorf("the intermediate's key is %s and its mark %+v", one.Key, one.Mark)
		}
	}
}

func TestAnUpToDateCertificateCostsNoRequestAndNoWrite(t *testing.T) {
	m := newMachine(t, "idle")
	web := m.put("web", vaulttest.CertificateOptions{WithChain: true})
	m.create("web")
	m.installed("web", web)
	state, err := m.front.state()
	if err != nil {
		t.Fatal(err)
	}
	requests, writes := m.requests("web"), len(m.store.written(0))

	m.reconcilesAgain("web")
	witness := m.put("witness", vaulttest.CertificateOptions{})
	m.create("witness")
	m.installed("witness", witness) // in one write of the state, which would contain any other change too

	if now := m.requests("web"); now != requests || requests != 1 {
		t.Errorf("the vault saw %d requests and then %d, want 1 and 1", requests, now)
	}
	if more := m.store.written(writes); len(more) != 1 {
		t.Errorf("the store was written: %q, want the witness only", more)
	}
	after, err := m.front.state()
	if err != nil || !withFiles && after.Generation != state.Generation+1 {
		t.Errorf("the node's state was written %d times, want once for the witness (%v)", after.Generation-state.Generation, err)
	}
}

func TestARotationIsInstalledWithTheNextSlot(t *testing.T) {
	m := newMachine(t, "slot")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", first)
	second := m.rotate("web")
	m.reconcilesAgain("web")
	m.holds(my, first)
	m.nextSlot()
	m.installed("web", second)
	m.holds(my, first, second)
	if requests := m.requests("web"); requests != 2 {
		t.Errorf("the vault saw %d requests, want 2", requests)
	}
}

func TestWhatIsMissingInTheStoreIsRepaired(t *testing.T) {
	m := newMachine(t, "drift")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", web)
	m.removeBehind(my, web)
	m.holds(my, web)
	m.installed("web", web)
}
