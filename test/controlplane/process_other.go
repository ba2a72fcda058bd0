//go:build !linux && !windows

package controlplane

import (
	"os"
	"os/exec"
)

// dieWithUs can do nothing where the kernel does not tie children to their parent. They share our process group, so that
// Ctrl-C ends them too.
func dieWithUs(*exec.Cmd) {}

func adopt(*os.Process) error { return nil }
