package controlplane

import (
	"os"
	"os/exec"
	"syscall"
)

// dieWithUs lets the kernel kill the child when this process ends, however it does. Ctrl-C in the terminal is ours alone:
// what still talks to the API server while it shuts down can go on.
func dieWithUs(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

func adopt(*os.Process) error { return nil }
