//go:build !windows

package background

import (
	"os"
	"os/exec"
	"syscall"
)

// detach gives the program a session of its own, so that closing the terminal does not end it.
func detach(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// end asks the program to end, which it does after cleaning up.
func end(process *os.Process) error { return process.Signal(syscall.SIGTERM) }
