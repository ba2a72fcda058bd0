package keyvault

import (
	"sync"

	"golang.org/x/time/rate"
)

// gates are the gates by what they stand before.
type gates struct {
	places int        // in each room
	perSec rate.Limit // of each budget

	mu       sync.Mutex
	byTarget recent[string, *gate]
}

// budgetWindow is the time over which a budget counts, which is also Key Vault's
// (https://learn.microsoft.com/azure/key-vault/general/service-limits#secrets-managed-storage-account-keys-and-vault-transactions).
const budgetWindow = 10 // seconds

// gatesPerVault are the vault's own, its identity's token service's, and the one for the identity's tokens at the vault.
const gatesPerVault = 3

func newGates(workers, perSecond int) *gates {
	limit := rate.Limit(perSecond)
	if perSecond <= 0 {
		limit = rate.Inf
	}
	return &gates{places: placesFor(workers), perSec: limit, byTarget: keep[string, *gate](gatesPerVault * keptVaults)}
}

// of returns the gate before a vault's authority, or before an account's token service.
func (g *gates) of(what string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	found, ok := g.byTarget.get(what)
	if !ok {
		found = &gate{
			room:   room{places: g.places, left: make(chan struct{})},
			budget: rate.NewLimiter(g.perSec, budgetWindow*int(min(g.perSec, 1e6))),
			turns:  rate.NewLimiter(g.perSec, 1),
		}
		g.byTarget.put(what, found)
	}
	return found
}
