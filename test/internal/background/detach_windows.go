package background

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach takes the program out of this console
// (https://learn.microsoft.com/windows/win32/procthread/process-creation-flags).
func detach(command *exec.Cmd) {
	command.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// end kills the program: a process without console gets no Ctrl-C.
func end(process *os.Process) error { return process.Kill() }
