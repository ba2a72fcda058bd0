package rollup

import (
	"time"

	"golang.org/x/time/rate"
)

// burst is how many statuses may be written at once after a quiet time, and not more than what a second allows: on 5,000
// nodes 20 at once would be 100,000 watch events, and those are what the budget is there to prevent.
const burst = 20

// budget limits how many watch events status writes cause: every agent watches ObservedCertificates, so one write costs as
// many events as there are agents.
type budget struct {
	events  int // watch events a second
	limiter *rate.Limiter
}

func newBudget(watchEventsPerSecond int) *budget {
	return &budget{events: watchEventsPerSecond, limiter: rate.NewLimiter(rate.Inf, burst)}
}

// spreadOver sets the number of agents. However many there are, one status a second may be written.
func (b *budget) spreadOver(now time.Time, agents int) {
	limit := rate.Limit(max(1, float64(b.events)/float64(max(1, agents))))
	if b.limiter.Limit() != limit {
		b.limiter.SetLimitAt(now, limit)
		b.limiter.SetBurstAt(now, int(min(burst, limit)))
	}
}

// spend takes one write out of the budget, or reports that there is none left.
func (b *budget) spend(now time.Time) bool { return b.limiter.AllowN(now, 1) }

// next is when the next write can be afforded.
func (b *budget) next(now time.Time) time.Time {
	missing := 1 - b.limiter.TokensAt(now)
	if missing <= 0 {
		return now
	}
	return now.Add(time.Duration(missing / float64(b.limiter.Limit()) * float64(time.Second)))
}
