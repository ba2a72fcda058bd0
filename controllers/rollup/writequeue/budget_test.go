package writequeue

import (
	"testing"
	"time"
)

func TestTheBudgetCountsWatchEvents(t *testing.T) {
	tests := []struct {
		name         string
		agents       int
		atOnce       int // after a quiet time
		inTenSeconds int // from then on
	}{
		{"a small cluster writes 20 at once", 10, 20, 5020},
		{"100 nodes: the same, then 50 a second", 100, 20, 520},
		{"1,000 nodes: what a second allows, then 5 a second", 1000, 5, 55},
		{"5,000 nodes: one a second", 5000, 1, 11},
		{"20,000 nodes: the same, however many events that causes", 20000, 1, 11},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			b := NewBudget(5000)
			b.SetAgents(now, test.agents)
			now = now.Add(time.Hour)
			atOnce := 0
			for b.Spend(now) {
				atOnce++
			}
			total := atOnce
			for end := now.Add(10 * time.Second); ; total++ {
				// rounded up, since a time has no fractions of nanoseconds
				if now = b.Next(now).Add(time.Nanosecond); now.After(end.Add(time.Millisecond)) {
					break
				}
				if !b.Spend(now) {
					t.Fatal("the budget is exhausted at the time that Next returned")
				}
			}
			if atOnce != test.atOnce || total != test.inTenSeconds {
				t.Errorf("got %d at once and %d in 10 s, want %d and %d", atOnce, total, test.atOnce, test.inTenSeconds)
			}
		})
	}
}
