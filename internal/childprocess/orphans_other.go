//go:build !windows && !linux

package childprocess

import "syscall"

func endWithParent() *syscall.SysProcAttr { return nil } // Linux only

func reapOrphans(int) (stop func()) { return func() {} }
