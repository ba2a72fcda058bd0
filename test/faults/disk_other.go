//go:build !linux

package main

import (
	"errors"
	"os"
)

// disk is a small file system of its own, which this system cannot give.
type disk struct{}

var errNoDisk = errors.New("there are no disks on this system")

func (*disk) mount(path string) error { return os.MkdirAll(path, 0o755) }

func (*disk) unmount() {}

func (*disk) exists() bool { return false }

func (*disk) fill() error { return errNoDisk }

func (*disk) empty() error { return errNoDisk }

func (*disk) protect() error { return errNoDisk }

func (*disk) release() error { return errNoDisk }
