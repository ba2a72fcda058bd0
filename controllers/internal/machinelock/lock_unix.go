//go:build !windows

package machinelock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func place(dir string) string { return filepath.Join(dir, ".lock") }

// try takes an advisory lock on a file, which the kernel releases when the process ends, killed or not (flock(2)).
func try(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of the lock: %w", err)
	}
	file, err := os.OpenFile(place(dir), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the lock: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		held = append(held, file) // not closed: that would release it
		return nil
	}
	_ = file.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errHeld
	}
	return fmt.Errorf("locking %s: %w", place(dir), err)
}

var held []*os.File
