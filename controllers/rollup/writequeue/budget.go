package writequeue

import (
	"time"

	"golang.org/x/time/rate"
)

// burst is how many statuses may be written at once after a quiet time, and never more than one second allows: with 5,000
// agents, 20 writes at once would cause 100,000 watch events, which the budget is there to prevent.
const burst = 20

// Budget limits the watch events that status writes cause: every agent watches ObservedCertificates, so one write causes as
// many events as there are agents. Make it with NewBudget.
type Budget struct {
	events  int // watch events a second
	limiter *rate.Limiter
}

// NewBudget returns a budget of that many watch events a second, without a limit until SetAgents is called.
func NewBudget(watchEventsPerSecond int) *Budget {
	return &Budget{events: watchEventsPerSecond, limiter: rate.NewLimiter(rate.Inf, burst)}
}

// SetAgents sets the number of agents. One status a second may be written regardless of their number.
func (b *Budget) SetAgents(now time.Time, agents int) {
	limit := rate.Limit(max(1, float64(b.events)/float64(max(1, agents))))
	if b.limiter.Limit() != limit {
		b.limiter.SetLimitAt(now, limit)
		b.limiter.SetBurstAt(now, int(min(burst, limit)))
	}
}

// Spend takes one write from the budget, or reports that the budget is exhausted.
func (b *Budget) Spend(now time.Time) bool { return b.limiter.AllowN(now, 1) }

// Next returns when the budget allows the next write.
func (b *Budget) Next(now time.Time) time.Time {
	missing := 1 - b.limiter.TokensAt(now)
	if missing <= 0 {
		return now
	}
	return now.Add(time.Duration(missing / float64(b.limiter.Limit()) * float64(time.Second)))
}
