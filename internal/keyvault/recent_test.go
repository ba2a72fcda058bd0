package keyvault

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/google/uuid"

	"github.com/vaultpane/vaultpane/internal/keyvault/recent"
)

// Authors of ObservedCertificates may name more and more vaults and identities. The agent's memory must not grow with each.
func TestTheMemoryForVaultsAndIdentitiesIsBounded(t *testing.T) {
	f := newFixture(t)
	name := func(from, count int) {
		for i := from; i < from+count; i++ {
			secret := urlOf(t, fmt.Sprintf("https://v%d.vault.invalid/secrets/word", i))
			if _, err := f.clients.client(secret, uuid.NewString()); err != nil {
				t.Fatal(err)
			}
			_ = f.clients.targets.Get(secret.Authority())
			_ = f.clients.targets.Get("login:" + secret.Authority())
			_ = f.clients.targets.Get("token:" + secret.Authority())
		}
	}
	name(0, recent.Vaults)
	full := heapInUse()
	name(recent.Vaults, 4*recent.Vaults)
	if now := heapInUse(); now > full*3/2 {
		t.Errorf("%d vaults take %d KiB, and %d take %d KiB", recent.Vaults, full>>10, 5*recent.Vaults, now>>10)
	}
	t.Logf("%d KiB", full>>10)
	_ = f.mustRead(t) // a dropped client is made again
}

// A vault that is read regularly stays cached, however many others are named.
func TestAVaultInUseSendsOneChallenge(t *testing.T) {
	f := newFixture(t)
	_ = f.mustRead(t)
	client := f.vaultClients(t, f.vault)[0]
	for i := range 3 * recent.Vaults {
		if _, err := f.clients.client(urlOf(t, fmt.Sprintf("https://v%d.vault.invalid/secrets/word", i)), ""); err != nil {
			t.Fatal(err)
		}
		if i%(recent.Vaults/2) == 0 {
			_ = f.mustRead(t)
		}
	}
	if f.vaultClients(t, f.vault)[0] != client {
		t.Error("the client was made again")
	}
	if got := f.vault.Stats().Unauthorized; got != 1 {
		t.Errorf("the vault answered 401 %d times, want 1", got)
	}
}

func heapInUse() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
