package breaker

import (
	"time"

	"golang.org/x/time/rate"
)

// budgetWindow is the time over which a budget counts requests, which is also Key Vault's
// (https://learn.microsoft.com/azure/key-vault/general/service-limits#secrets-managed-storage-account-keys-and-vault-transactions).
const budgetWindow = 10 // seconds

// Budget bounds the requests to one target per second.
type Budget struct {
	requests     *rate.Limiter
	reservations *rate.Limiter // the same rate without the burst: when a deferred request comes back
}

func newBudget(perSecond rate.Limit) Budget {
	return Budget{
		requests:     rate.NewLimiter(perSecond, budgetWindow*int(min(perSecond, 1e6))),
		reservations: rate.NewLimiter(perSecond, 1),
	}
}

// Take takes one request from the budget, or returns a Deferred with the time when the budget has one for this caller.
func (b Budget) Take(now time.Time) error {
	if b.requests.AllowN(now, 1) {
		return nil
	}
	one := time.Duration(float64(time.Second) / float64(b.reservations.Limit()))
	return &Deferred{After: b.reservations.ReserveN(now, 1).DelayFrom(now) + one}
}
