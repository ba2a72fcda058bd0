//go:build !windows

package machinelock

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// place returns the lock's file, which is next to the folder: the folder may be read-only, or be deleted while an agent runs.
func place(dir string) string {
	dir = filepath.Clean(dir)
	return filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".lock")
}

// try takes two advisory locks, which the kernel releases when the process ends, killed or not (flock(2)): one on a file next to
// the folder, which outlives it, and one on the folder itself, which is the same for agents in containers that have only the
// folder. A place that cannot be written to is skipped: no agent can change anything there.
func try(dir string) error {
	file, err := lockFile(place(dir), os.O_CREATE|os.O_RDWR)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil && !unwritable(err) { //nolint:gosec // G703: the folder is the operator's setting
		return errors.Join(fmt.Errorf("creating the folder of the store: %w", err), closeFile(file))
	}
	folder, err := lockFile(dir, os.O_RDONLY)
	if err != nil {
		return errors.Join(err, closeFile(file))
	}
	held = append(held, file, folder) // not closed: that would release them
	return nil
}

// lockFile opens and locks a file or folder. It returns nil for one that does not exist and cannot be created.
func lockFile(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags, 0o600)
	if unwritable(err) || errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	err = unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return file, nil
	}
	_ = file.Close()
	if errors.Is(err, unix.EWOULDBLOCK) {
		return nil, errHeld
	}
	return nil, fmt.Errorf("locking %s: %w", path, err)
}

// isHeld tries to share the locks, which an agent has for itself, and gives them back at once. A place that does not exist is not
// locked.
func isHeld(dir string) (bool, error) {
	for _, path := range []string{place(dir), dir} {
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, fmt.Errorf("looking for an agent: %w; run it as the agent's account, or as root", err)
		}
		err = unix.Flock(int(file.Fd()), unix.LOCK_SH|unix.LOCK_NB)
		_ = file.Close() // which releases it
		if errors.Is(err, unix.EWOULDBLOCK) {
			return true, nil
		}
		if err != nil {
			return false, fmt.Errorf("looking for an agent: locking %s: %w", path, err)
		}
	}
	return false, nil
}

// unwritable reports whether an error says that this process cannot write to a place.
func unwritable(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
}

func closeFile(file *os.File) error {
	if file == nil {
		return nil
	}
	return file.Close()
}

var held []*os.File
