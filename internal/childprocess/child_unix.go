//go:build !windows

package childprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

const slash = '/'

// The statuses of execve(2) for a file that is there and does not run.
var (
	refusals           = []error{unix.ENOEXEC, unix.EACCES, unix.EPERM}
	interpreterMissing = []error{fs.ErrNotExist}
)

type child struct {
	command *exec.Cmd
	ended   chan struct{} // closed after err was set
	err     error
	reaper  func() // stops it
}

// start locks the goroutine to its thread until release: the kernel counts the end of the thread that started the program as
// the end of its parent (PR_SET_PDEATHSIG in prctl(2)), and Go ends threads.
func start(path string, argv []string) (*child, error) {
	c := &child{ended: make(chan struct{})}
	c.command = &exec.Cmd{
		Path: path, Args: argv,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		SysProcAttr: endWithParent(),
	}
	runtime.LockOSThread()
	if err := c.command.Start(); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	go func() {
		c.err = c.command.Wait()
		close(c.ended)
	}()
	c.reaper = reapOrphans(c.command.Process.Pid)
	return c, nil
}

func (c *child) forward(sig os.Signal) {
	if slices.Contains(forwarded, sig) && !sentByTerminal(sig) {
		_ = c.command.Process.Signal(sig) // it may have ended
	}
}

func (c *child) stop() { _ = c.command.Process.Signal(unix.SIGTERM) }

func (c *child) kill() { _ = c.command.Process.Kill() }

// result is called after the end only.
func (c *child) result() (int, error) {
	var exit *exec.ExitError
	if c.err != nil && !errors.As(c.err, &exit) {
		return 0, fmt.Errorf("waiting for %s: %w", c.command.Path, c.err)
	}
	if status, ok := c.command.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return c.command.ProcessState.ExitCode(), nil
}

func (c *child) release() {
	c.reaper()
	runtime.UnlockOSThread()
}
