package schedule

import (
	"fmt"
	"math"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestSlotIsTheSameAfterARestartAndOneIntervalApart(t *testing.T) {
	for node := range 50 {
		name := fmt.Sprintf("node-%d", node)
		first := Slot(name, "https://v/secrets/a", time.Hour, noon)
		if !first.After(noon) || first.Sub(noon) > time.Hour {
			t.Fatalf("slot of %s is %s, want it within an hour after %s", name, first, noon)
		}
		if again := Slot(name, "https://v/secrets/a", time.Hour, first.Add(-time.Nanosecond)); !again.Equal(first) {
			t.Errorf("just before its slot %s is sent to %s, want %s", name, again, first)
		}
		if next := Slot(name, "https://v/secrets/a", time.Hour, first); !next.Equal(first.Add(time.Hour)) {
			t.Errorf("the slot after %s is %s, want an hour later", first, next)
		}
	}
}

func TestNextPassesOverASlotThatTheLastPollHasAnswered(t *testing.T) {
	slot := Slot("n", "u", time.Hour, noon)
	soon := Slot("n", "u", 30*time.Second, noon)
	tests := []struct {
		name     string
		interval time.Duration
		polled   time.Time
		want     time.Time
	}{
		{"polled in its slot", time.Hour, slot, slot.Add(time.Hour)},
		{"polled long before its slot", time.Hour, slot.Add(-30 * time.Minute), slot},
		{"polled a little more than a minute before its slot", time.Hour, slot.Add(-61 * time.Second), slot},
		{"polled just before its slot", time.Hour, slot.Add(-time.Second), slot.Add(time.Hour)},
		{"short intervals pass over less", 30 * time.Second, soon.Add(-2 * time.Second), soon},
		{"but still what comes at once", 30 * time.Second, soon.Add(-time.Second), soon.Add(30 * time.Second)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Next("n", "u", test.interval, test.polled); !got.Equal(test.want) {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestSlotsOfAFleetAreSpreadEvenly(t *testing.T) {
	const nodes, buckets = 6000, 60
	var count [buckets]int
	for node := range nodes {
		slot := Slot(fmt.Sprintf("akswin%06d", node), "https://v.vault.azure.net/secrets/web", time.Hour, noon)
		count[int(slot.Sub(noon)/time.Minute)%buckets]++
	}
	for minute, n := range count {
		if n < 60 || n > 140 { // 100 expected; 4 standard deviations
			t.Errorf("minute %d has %d polls of %d, want about %d", minute, n, nodes, nodes/buckets)
		}
	}
}

func TestMissed(t *testing.T) {
	slot := Slot("n", "u", time.Hour, noon)
	tests := []struct {
		name           string
		lastAlive, now time.Time
		want           bool
	}{
		{"a slot between the last renewal and now is missed", slot.Add(-time.Minute), slot.Add(time.Minute), true},
		{"a slot exactly now is missed", slot.Add(-time.Minute), slot, true},
		{"no slot passed while away", slot.Add(time.Minute), slot.Add(2 * time.Minute), false},
		{"away for days", slot.Add(-72 * time.Hour), slot.Add(time.Second), true},
		{"an unknown last renewal misses nothing", time.Time{}, slot.Add(time.Minute), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Missed("n", "u", time.Hour, test.lastAlive, test.now); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestTransient(t *testing.T) {
	tests := []struct {
		name       string
		attempt    int
		retryAfter time.Duration
		random     float64
		want       time.Duration
	}{
		{"the first retry comes within two seconds", 1, 0, 0.75, 1500 * time.Millisecond},
		{"never less than a second", 1, 0, 0, time.Second},
		{"each attempt doubles the range", 4, 0, 0.5, 8 * time.Second},
		{"at most five minutes", 50, 0, 0.5, 150 * time.Second},
		{"the server's wait counts when it is longer", 1, time.Minute, 0, time.Minute},
		{"and those who got it come back spread over a tenth", 1, 100 * time.Second, 0.5, 105 * time.Second},
		{"the server's wait does not shorten the wait", 50, time.Second, 0.5, 150 * time.Second},
		{"a wait of days is limited to an hour", 1, 72 * time.Hour, 0, time.Hour},
		{"and the longest there is too", 1, math.MaxInt64, 0.5, 63 * time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Transient(test.attempt, time.Hour, test.retryAfter, test.random); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
	if got := Transient(1, 24*time.Hour, 72*time.Hour, 0); got != 24*time.Hour {
		t.Errorf("got %s, want the polling interval of a day", got)
	}
	if got := Transient(50, 30*time.Second, 0, 0.999); got > 30*time.Second {
		t.Errorf("got %s, want at most the polling interval of 30s", got)
	}
}

func TestWaiting(t *testing.T) {
	tests := []struct {
		name     string
		attempt  int
		interval time.Duration
		random   float64
		want     time.Duration
	}{
		{"sooner than the interval at first", 1, time.Hour, 0, 30 * time.Second},
		{"doubling", 3, time.Hour, 0, 2 * time.Minute},
		{"up to the interval", 30, time.Hour, 0, time.Hour},
		{"with a tenth of jitter", 30, time.Hour, 0.5, 63 * time.Minute},
		{"a short interval stays what it is", 1, 10 * time.Second, 0, 10 * time.Second},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Waiting(test.attempt, test.interval, test.random); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestSpreadStaysWithinItsLimit(t *testing.T) {
	if got := Spread(0); got != 0 {
		t.Errorf("no spread wanted, got %s", got)
	}
	for range 1000 {
		if got := Spread(time.Second); got < 0 || got >= time.Second {
			t.Fatalf("got %s, want less than a second", got)
		}
	}
}
