package breaker

import (
	"sync"

	"golang.org/x/time/rate"

	"github.com/vaultpane/vaultpane/internal/keyvault/recent"
)

// Target is what limits the requests to one vault or token service.
type Target struct {
	// Breaker decides whether a request may be sent.
	Breaker Breaker
	// Bulkhead bounds the callers that wait.
	Bulkhead Bulkhead
	// Budget bounds the requests per second.
	Budget Budget
}

// Targets are the targets that were used most recently. They are safe for concurrent use.
type Targets struct {
	capacity  int        // of each bulkhead
	perSecond rate.Limit // of each budget

	mu     sync.Mutex
	byName recent.Cache[string, *Target]
}

// targetsPerVault are the vault itself, the token service of its identity, and the vault's acceptance of that identity's tokens.
const targetsPerVault = 3

// NewTargets returns targets for a number of workers, 0 for unbounded bulkheads, and of requests per second, 0 for no budget.
func NewTargets(workers, requestsPerSecond int) *Targets {
	limit := rate.Limit(requestsPerSecond)
	if requestsPerSecond <= 0 {
		limit = rate.Inf
	}
	return &Targets{capacity: capacityFor(workers), perSecond: limit, byName: recent.New[string, *Target](targetsPerVault * recent.Vaults)}
}

// Get returns the target of a name.
func (t *Targets) Get(name string) *Target {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.byName.Get(name)
	if !ok {
		found = &Target{
			Bulkhead: Bulkhead{capacity: t.capacity, released: make(chan struct{})},
			Budget:   newBudget(t.perSecond),
		}
		t.byName.Put(name, found)
	}
	return found
}
