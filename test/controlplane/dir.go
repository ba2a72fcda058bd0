package controlplane

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/filelock"
)

const (
	temporaryName = "vaultpane-controlplane-"
	inUseName     = "in-use.lock"
)

// makeDir makes the folder and marks it as in use.
func (c *ControlPlane) makeDir() error {
	dir, err := newDir(c.options.Dir)
	if err != nil {
		return fmt.Errorf("making the control plane's folder: %w", err)
	}
	c.dir = dir // from here on it is ours to remove
	c.inUse, err = filelock.Try(c.path(inUseName))
	return err
}

// newDir makes the folder named, absolute for processes with another working directory, or a temporary one.
func newDir(name string) (string, error) {
	if name == "" {
		removeAbandoned(os.TempDir())
		return os.MkdirTemp("", temporaryName)
	}
	dir, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return "", err
	}
	return dir, os.Mkdir(dir, 0o700)
}

func (c *ControlPlane) removeDir() error {
	if c.inUse != nil {
		c.inUse.Release()
		c.inUse = nil
	}
	if c.dir == "" {
		return nil
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("removing the control plane's folder: %w", err)
	}
	return nil
}

// removeAbandoned removes what killed test processes left, more than 100 MB each. It never fails a start: what it cannot
// remove stays for the next one.
func removeAbandoned(parent string) {
	found, _ := filepath.Glob(filepath.Join(parent, temporaryName+"*"))
	for _, dir := range found {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue // made just now, and its owner may not have locked it yet
		}
		lock, err := filelock.Try(filepath.Join(dir, inUseName))
		if err != nil {
			continue
		}
		lock.Release() // Windows removes no open file
		_ = os.RemoveAll(dir)
	}
}
