package agent

import (
	"context"
	"sync"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// A store that somebody changes is checked when it has been quiet for a moment, and not more often than every few seconds:
// the agent's own writes are changes as well, and a first sync makes a thousand.
const (
	watchQuiet = time.Second
	watchPause = 10 * time.Second
)

// watchers watch the stores in use where the machine can tell of changes. They are the fast path; the periodic check finds
// what they miss, such as a key that vanishes.
type watchers struct {
	mu      sync.Mutex
	watched map[string]bool // by refKey
	changed chan struct{}
}

func newWatchers() *watchers {
	return &watchers{watched: map[string]bool{}, changed: make(chan struct{}, 1)}
}

// follow watches those of some stores that are not watched yet, until the context ends.
func (w *watchers) follow(ctx context.Context, machine certstore.Machine, refs []certstore.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ref := range refs {
		key := refKey(ref)
		if w.watched[key] {
			continue
		}
		w.watched[key] = true
		go func() {
			if err := machine.Watch(ctx, ref, w.signal); err != nil {
				ctrl.LoggerFrom(ctx).V(1).Info("Cannot watch the store, which is checked periodically", "store", ref.String(), "cause", err.Error())
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.watched, key) // tried again at the next check: a store may come to be
		}()
	}
}

func (w *watchers) signal() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// next returns when a check is due: after the interval, or after a change and quiet. It is false when the context has ended.
func (w *watchers) next(ctx context.Context, interval time.Duration) bool {
	due := time.After(interval)
	pause := time.After(min(watchPause, interval))
	var quiet <-chan time.Time
	for paused := false; ; {
		select {
		case <-due:
			return true
		case <-pause:
			paused = true
			if quiet != nil {
				quiet = time.After(watchQuiet)
			}
		case <-w.changed:
			quiet = time.After(watchQuiet)
		case <-quiet:
			if paused {
				return true
			}
			quiet = make(chan time.Time) // there was a change, and it waits for the pause
		case <-ctx.Done():
			return false
		}
	}
}
