// Package filelock is a lock between processes, which the operating system releases with the process, however that ends.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// ErrHeld says that another holder has the lock.
var ErrHeld = errors.New("held by another process")

// Lock is a held lock.
type Lock struct{ file *os.File }

// Try takes the lock at path, or returns an error that is ErrHeld. The file stays when the lock is released; who removes
// it does so while holding the lock.
func Try(path string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the lock: %w", err)
	}
	err = lockFile(file)
	if err == nil && !isAt(file, path) {
		err = ErrHeld // the holder removed it meanwhile: try again with the file that is there then
	}
	if err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return &Lock{file}, nil
}

// Wait takes the lock at path as soon as it is free, and calls waiting once if it is not.
func Wait(ctx context.Context, path string, waiting func()) (*Lock, error) {
	lock, err := Try(path)
	if !errors.Is(err, ErrHeld) {
		return lock, err
	}
	waiting()
	poll := func(context.Context) (bool, error) {
		lock, err = Try(path)
		if errors.Is(err, ErrHeld) {
			return false, nil
		}
		return err == nil, err
	}
	if err := wait.PollUntilContextCancel(ctx, 100*time.Millisecond, false, poll); err != nil {
		return nil, fmt.Errorf("waiting for the lock %s: %w", path, err)
	}
	return lock, nil
}

// Release gives the lock back.
func (l *Lock) Release() { _ = l.file.Close() }

// isAt reports whether the file is still the one at path.
func isAt(file *os.File, path string) bool {
	opened, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(opened, there)
}
