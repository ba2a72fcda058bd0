package node

import (
	"os/exec"
	"syscall"
)

// endWithParent has the kernel kill the agent when the test's process ends, however it ends.
func endWithParent(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
