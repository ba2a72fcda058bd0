package agent

import (
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/heartbeat"
)

// A vault is fresh for a while after the Lease said something new of it, whatever the controller's clock shows. When it becomes fresh
// again, its certificates have to be processed: what was published meanwhile was not believed.
func TestAVaultIsFreshAfterTheLeaseSaidSomethingNew(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	p := &Publications{Now: func() time.Time { return now }}
	says := func(said time.Time) map[string]time.Time { return map[string]time.Time{"shop": said} }
	steps := []struct {
		name           string
		passes         time.Duration
		said           map[string]time.Time
		fresh, revived bool
	}{
		{"no Lease", 0, nil, false, false},
		{"an old one after the start", 0, says(now.Add(-time.Hour)), false, false},
		{"the same again", time.Second, says(now.Add(-time.Hour)), false, false},
		{"a new time of a clock that is behind", time.Second, says(now.Add(-59 * time.Minute)), true, true},
		{"the next", time.Minute, says(now.Add(-58 * time.Minute)), true, false},
		{"the same, while it is fresh", heartbeat.WatchStaleAfter - time.Second, says(now.Add(-58 * time.Minute)), true, false},
		{"the same, too late", 2 * time.Second, says(now.Add(-58 * time.Minute)), false, false},
		{"a time of a clock that is ahead", time.Second, says(now.Add(time.Hour)), true, true},
		{"a vault that is no longer named", time.Second, nil, false, false},
		{"and is named again", time.Second, says(now.Add(2 * time.Hour)), true, true},
	}
	for _, step := range steps {
		now = now.Add(step.passes)
		revived := p.note(step.said)
		if p.sees("shop") != step.fresh || revived["shop"] != step.revived || p.sees("other") {
			t.Errorf("%s: fresh %t, revived %t, want %t and %t", step.name, p.sees("shop"), revived["shop"], step.fresh, step.revived)
		}
	}
}
