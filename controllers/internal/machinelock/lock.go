// Package machinelock keeps two agents from working on one machine's store, as in a hurried roll-out.
package machinelock

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
)

// errHeld says that another process holds the lock.
var errHeld = errors.New("another agent holds the lock of this machine")

// retry is the time between two tries.
const retry = time.Second

// Acquire waits until this process is the only agent on the machine, and says so in the log while it waits. dir is where
// the lock file goes on systems that lock by file. The lock ends with the process, however it ends.
func Acquire(ctx context.Context, dir string) error {
	log := logr.FromContextOrDiscard(ctx)
	waiting := false
	for {
		err := try(dir)
		if err == nil {
			if waiting {
				log.Info("The other agent is gone")
			}
			return nil
		}
		if !errors.Is(err, errHeld) {
			return err
		}
		if !waiting {
			log.Info("Waiting: another agent works on this machine's store", "lock", place(dir))
			waiting = true
		}
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
