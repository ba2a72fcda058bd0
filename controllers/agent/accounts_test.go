package agent_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// Accounts of the tests' machines.
const (
	poolAccount, poolSID = `IIS AppPool\shop`, "S-1-5-82-1-2-3-4-5"
	userAccount, userSID = `CORP\web$`, "S-1-5-21-1-2-3-1001"
)

func granting(accounts ...string) func(*v1alpha1.ObservedCertificateSpec) {
	return func(spec *v1alpha1.ObservedCertificateSpec) { spec.Accounts = accounts }
}

// knows gives a machine accounts.
func (h *host) knows(sidsByName map[string]string) {
	h.set(func(h *host) { h.accounts = sidsByName })
}

// grants waits until exactly these accounts may read the key of a certificate in MY, in addition to SYSTEM and Administrators.
func (m *machine) grants(thumbprint string, sids ...string) {
	m.t.Helper()
	want := certstore.KeyAccess(certstore.LocalMachine, sids)
	m.eventually(fmt.Sprintf("the key of %s may be read by %v", thumbprint, sids), func() (bool, error) {
		if got := m.held(my)[thumbprint].Access; got != want {
			return false, fmt.Errorf("its access is %q", got)
		}
		return true, nil
	})
}

// changeBehind changes a certificate's properties as another program would.
func (m *machine) changeBehind(ref certstore.Ref, thumbprint string, change certstore.Change) {
	m.t.Helper()
	if _, err := m.openStore().Update(ref, thumbprint, change); err != nil {
		m.t.Fatal(err)
	}
}

func TestOnlyTheAccountsOfTheSpecMayReadTheKey(t *testing.T) {
	m := newMachine(t, "accounts")
	m.host.knows(map[string]string{poolAccount: poolSID, userAccount: userSID})
	web, plain := m.put("web", vaulttest.CertificateOptions{}), m.put("plain", vaulttest.CertificateOptions{})
	m.create("web", granting(poolAccount, userAccount))
	m.create("plain")
	m.installed("web", web)
	m.installed("plain", plain)
	m.grants(web, poolSID, userSID)
	m.grants(plain)

	everyone := "D:P(A;;FA;;;S-1-5-18)(A;;FR;;;S-1-1-0)"
	m.changeBehind(my, web, certstore.Change{Access: &everyone})
	m.grants(web, poolSID, userSID)
	m.sawRequests("web", 1)

	m.changeSpec("web", granting(userAccount))
	m.grants(web, userSID)
	m.installed("web", web)
	m.changeSpec("web", granting())
	m.grants(web)
	if writes := m.store.written(0); countOf(writes, "Install "+my.String()+" "+web) != 1 {
		t.Errorf("a change of access rights installed the certificate again: %q", writes)
	}
}

func countOf(lines []string, wanted string) int {
	count := 0
	for _, line := range lines {
		if line == wanted {
			count++
		}
	}
	return count
}

func TestACreatedAccountGetsAccessWithoutTheVault(t *testing.T) {
	m := newMachine(t, "accounts-later")
	m.host.knows(map[string]string{userAccount: userSID})
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", granting(poolAccount, userAccount))
	entry := m.fails("web", v1alpha1.ReasonAccountNotFound, poolAccount, "ERROR_NONE_MAPPED", "the other accounts can use the private key")
	if entry.State != v1alpha1.StateFailed || entry.Thumbprint != web || entry.Since == nil {
		t.Errorf("the node reports %+v, want Failed with what is installed", entry)
	}
	m.grants(web, userSID)
	m.warned("web", v1alpha1.ReasonAccountNotFound)
	m.pass(longWait)
	m.reconcilesAgain("web")
	m.warned("web", v1alpha1.ReasonAccountNotFound) // and no second event: nothing has changed

	m.host.knows(map[string]string{userAccount: userSID, poolAccount: poolSID})
	m.pass(longWait)
	entry = m.installed("web", web)
	if entry.Message != "" || entry.Since != nil {
		t.Errorf("the node reports %+v, want nothing wrong", entry)
	}
	m.grants(web, poolSID, userSID)
	m.sawRequests("web", 1)
}

func TestAnUnknownAccountStaysReportedAfterARestart(t *testing.T) {
	m := newMachine(t, "accounts-restart")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", granting(poolAccount))
	m.fails("web", v1alpha1.ReasonAccountNotFound, poolAccount)
	m.stop()
	m.start()
	m.reconcilesAgain("web")
	m.fails("web", v1alpha1.ReasonAccountNotFound, poolAccount)
	m.host.knows(map[string]string{poolAccount: poolSID})
	m.pass(longWait)
	m.installed("web", web)
	m.grants(web, poolSID)
}

// errDomainAway is the error of a lookup while the domain is unreachable.
var errDomainAway = errors.New("0x000006BA RPC_S_SERVER_UNAVAILABLE")

func TestWhileTheDomainIsUnreachableAccessInUseStays(t *testing.T) {
	m := newMachine(t, "domain")
	m.host.knows(map[string]string{userAccount: userSID, poolAccount: poolSID})
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", granting(userAccount))
	m.installed("web", web)
	m.grants(web, userSID)

	m.host.set(func(h *host) { h.away = errDomainAway })
	m.pass(2 * longWait)
	m.reconcilesAgain("web")
	m.installed("web", web) // its access is complete
	m.grants(web, userSID)
	m.stop()
	m.start() // whose cache of accounts is empty
	m.reconcilesAgain("web")
	m.storeIsRead()
	m.fails("web", v1alpha1.ReasonAccountNotFound, userAccount, "RPC_S_SERVER_UNAVAILABLE", "keep")
	m.grants(web, userSID)
	m.changeSpec("web", granting(userAccount, poolAccount))
	m.reported("web", "for the new spec", func(e *v1alpha1.CertificateEntry) bool { return e.Generation == m.generation("web") })
	m.grants(web, userSID)
	requests := m.requests("web")

	m.host.set(func(h *host) { h.away = nil })
	m.pass(longWait)
	m.installed("web", web)
	m.grants(web, userSID, poolSID)
	m.sawRequests("web", requests)
}

func TestOtherAccountsTakeEffectWhileTheVaultRefuses(t *testing.T) {
	m := newMachine(t, "accounts-no-vault")
	m.host.knows(map[string]string{poolAccount: poolSID, userAccount: userSID})
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", granting(userAccount))
	m.installed("web", web)
	m.must(m.vault.Disable(m.full("web"), ""))
	m.changeSpec("web", granting(poolAccount))
	m.grants(web, poolSID)
	entry := m.fails("web", v1alpha1.ReasonSecretDisabled)
	if entry.Thumbprint != web {
		t.Errorf("the node reports %+v, want it with what is installed", entry)
	}
	m.must(m.vault.Enable(m.full("web"), ""))
	m.pass(time.Hour)
	m.installed("web", web)
}
