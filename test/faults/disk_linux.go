package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// mountsVariable is set by hack/faults.sh where the command runs in a mount namespace of its own, which ends with it.
const mountsVariable = "FAULTS_MOUNTS"

// disk is a small file system of its own, which can be filled and made read-only. Its zero value is no disk.
type disk struct{ path string }

// diskSize is room for the store and little more.
const diskSize = "size=8m"

// mount puts the disk at a path, where this process may do that.
func (d *disk) mount(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	if os.Getenv(mountsVariable) == "" {
		return nil
	}
	if err := syscall.Mount("tmpfs", path, "tmpfs", 0, diskSize); err != nil {
		return fmt.Errorf("mounting a disk: %w", err)
	}
	d.path = path
	return nil
}

func (d *disk) unmount() {
	if d.path != "" {
		_ = syscall.Unmount(d.path, syscall.MNT_DETACH) // it ends with the namespace anyway
	}
}

func (d *disk) exists() bool { return d.path != "" }

func (d *disk) filler() string { return filepath.Join(d.path, "filler") }

// fill writes until nothing more fits.
func (d *disk) fill() error {
	file, err := os.Create(d.filler())
	if err != nil {
		return fmt.Errorf("filling the disk: %w", err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = file.Write(block)
	}
	_ = file.Close() // what is in it does not matter
	if errors.Is(err, syscall.ENOSPC) {
		return nil
	}
	return fmt.Errorf("filling the disk: %w", err)
}

func (d *disk) empty() error { return os.Remove(d.filler()) }

// protect makes the disk read-only, by a mount on top of it: what is open already may still be written.
func (d *disk) protect() error {
	if err := syscall.Mount(d.path, d.path, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("making the disk read-only: %w", err)
	}
	return syscall.Mount("", d.path, "", syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
}

// release undoes protect.
func (d *disk) release() error { return syscall.Unmount(d.path, syscall.MNT_DETACH) }
