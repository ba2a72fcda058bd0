// Package machinelock keeps two agents from working on one machine's store, as in a hurried roll-out.
package machinelock

import (
	"context"
	"errors"
	"time"

	ctrl "sigs.k8s.io/controller-runtime"
)

// errHeld says that another process holds the lock.
var errHeld = errors.New("another agent holds the lock of this machine")

// retry is the time between two tries.
const retry = time.Second

// Acquire waits until this process is the only agent on the machine, and says so in the log while it waits. dir is the store's
// folder on systems that lock by file. What keeps it from locking is logged and tried again. The lock ends with the process,
// however it ends. The error is the context's.
func Acquire(ctx context.Context, dir string) error {
	log := ctrl.LoggerFrom(ctx)
	told := ""
	for {
		err := try(dir)
		switch {
		case err == nil && told != "":
			log.Info("Locked this machine's store")
			return nil
		case err == nil:
			return nil
		case err.Error() == told:
		case errors.Is(err, errHeld):
			log.Info("Waiting: another agent works on this machine's store", "lock", place(dir))
		default:
			log.Error(err, "Cannot lock this machine's store; trying again", "lock", place(dir))
		}
		told = err.Error()
		select {
		case <-time.After(retry):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
