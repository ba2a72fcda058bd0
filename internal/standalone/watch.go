package standalone

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/internal/debounce"
)

const (
	// lookInterval is the time between two looks at the files when no change is reported: mounted ConfigMaps are links that move,
	// and some file systems report nothing.
	lookInterval = 10 * time.Second
	// settleTime is how long a file must not change before it is read: editors write in steps.
	settleTime = 300 * time.Millisecond
	// settleLimit is the longest wait for that.
	settleLimit = 2 * time.Second
)

// watcher reports that something may have changed in some folders.
type watcher struct {
	paths   []string
	notify  *fsnotify.Watcher // nil where the system has none to give
	changed chan struct{}
}

// newWatcher watches the folders of files, and folders. It works without notifications as well.
func newWatcher(ctx context.Context, paths []string) *watcher {
	w := &watcher{paths: paths, changed: make(chan struct{}, 1)}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		logr.FromContextOrDiscard(ctx).Info("Changes of files are found every 10 s only", "cause", err.Error())
		return w
	}
	w.notify = notify
	w.add()
	go w.forward()
	return w
}

// add watches what exists. A folder that is made anew must be watched anew, so it is called before each wait.
func (w *watcher) add() {
	if w.notify == nil {
		return
	}
	for _, path := range w.paths {
		folder := path
		if info, err := os.Stat(path); err != nil || !info.IsDir() {
			folder = filepath.Dir(path) // of a file, or of what does not exist yet
		}
		_ = w.notify.Add(folder) // the periodic look finds what it misses
	}
}

// forward passes events on until the notifications end. Events of any file count: the folder may hold a link's target.
func (w *watcher) forward() {
	for {
		select {
		case _, open := <-w.notify.Events:
			if !open {
				return
			}
			select {
			case w.changed <- struct{}{}:
			default:
			}
		case _, open := <-w.notify.Errors: // as too many events at once: the periodic look finds what is missed
			if !open {
				return
			}
		}
	}
}

// wait returns when files may have changed, or after the longest time to wait. It returns false when the context has ended.
func (w *watcher) wait(ctx context.Context, longest time.Duration) bool {
	w.add()
	select {
	case <-w.changed:
		return debounce.Quiet(ctx, w.changed, settleTime, time.After(settleLimit))
	case <-time.After(longest):
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *watcher) close() {
	if w.notify != nil {
		_ = w.notify.Close() // nothing is written through it
	}
}
