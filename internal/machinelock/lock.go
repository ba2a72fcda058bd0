// Package machinelock prevents two agents from working on one machine's store at the same time, as during a roll-out.
package machinelock

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
)

// errHeld says that another process holds the lock.
var errHeld = errors.New("another agent holds the lock of this machine")

// retry is the time between two attempts.
const retry = time.Second

// Acquire waits until this process is the only agent on the machine, and logs that it waits. dir is the store's folder, on systems
// that lock by file. Other failures are logged, and the lock is tried again. The lock is released when the process ends, killed or
// not. The error is the context's.
func Acquire(ctx context.Context, dir string) error {
	log := logr.FromContextOrDiscard(ctx)
	logged := ""
	for {
		err := try(dir)
		switch {
		case err == nil && logged != "":
			log.Info("Locked this machine's store")
			return nil
		case err == nil:
			return nil
		case err.Error() == logged:
		case errors.Is(err, errHeld):
			log.Info("Waiting: another agent uses this machine's store", "lock", place(dir))
		default:
			log.Error(err, "Cannot lock this machine's store; trying again", "lock", place(dir))
		}
		logged = err.Error()
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Held reports whether an agent runs on the machine. dir is as in Acquire.
func Held(dir string) (bool, error) { return isHeld(dir) }
