package inventory

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/debounce"
)

// A store that changes is checked when it has not changed for watchQuiet, and not more often than every watchPause: the agent's
// own writes are changes as well, and a first sync makes a thousand.
const (
	watchQuiet = time.Second
	watchPause = 10 * time.Second
)

// Watcher watches the stores in use where the machine reports changes. It is the fast path; the periodic check finds what it
// misses, such as a key that is deleted.
type Watcher struct {
	mu      sync.Mutex
	watched map[string]bool // by Key
	changed chan struct{}
}

// NewWatcher returns a watcher of no store.
func NewWatcher() *Watcher {
	return &Watcher{watched: map[string]bool{}, changed: make(chan struct{}, 1)}
}

// Follow watches those of some stores that are not watched yet, until the context ends.
func (w *Watcher) Follow(ctx context.Context, machine certstore.Machine, refs []certstore.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, ref := range refs {
		key := Key(ref)
		if w.watched[key] {
			continue
		}
		w.watched[key] = true
		go func() {
			if err := machine.Watch(ctx, ref, w.signal); err != nil {
				logr.FromContextOrDiscard(ctx).V(1).Info("Cannot watch the store, which is checked periodically", "store", ref.String(), "cause", err.Error())
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			delete(w.watched, key) // tried again at the next check: the store may exist by then
		}()
	}
}

func (w *Watcher) signal() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Wait returns when a check is due: after the interval, or after a change, a pause since the call and a quiet time. It returns
// false when the context has ended.
func (w *Watcher) Wait(ctx context.Context, interval time.Duration) bool {
	due := time.After(interval)
	pause := time.After(min(watchPause, interval))
	select {
	case <-w.changed:
	case <-due:
		return true
	case <-ctx.Done():
		return false
	}
	select {
	case <-pause:
	case <-ctx.Done():
		return false
	}
	return debounce.Quiet(ctx, w.changed, watchQuiet, due)
}
