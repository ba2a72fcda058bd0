package childprocess

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

const slash = '\\'

// The statuses of CreateProcess for a file that is there and does not run
// (https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw).
var (
	refusals = []error{
		windows.ERROR_BAD_EXE_FORMAT, windows.ERROR_EXE_MACHINE_TYPE_MISMATCH, windows.ERROR_ACCESS_DENIED,
		windows.ERROR_ELEVATION_REQUIRED, windows.ERROR_INVALID_EXE_SIGNATURE,
	}
	interpreterMissing []error
)

// exitKilled is the exit code of a program that was ended after its grace time.
const exitKilled = 1

type child struct {
	path    string
	process windows.Handle
	job     windows.Handle
	ended   chan struct{} // closed after err was set
	err     error
}

// start starts the program inside a job object that ends with this process.
func start(path string, argv []string) (*child, error) {
	job, err := newJob()
	if err != nil {
		return nil, err
	}
	process, err := createProcess(path, argv, job)
	if err != nil {
		_ = windows.CloseHandle(job)
		return nil, err
	}
	c := &child{path: path, process: process, job: job, ended: make(chan struct{})}
	go func() {
		_, c.err = windows.WaitForSingleObject(process, windows.INFINITE)
		close(c.ended)
	}()
	return c, nil
}

// forward does nothing: the console has sent the event to every process that is attached to it, and so to the program.
func (c *child) forward(os.Signal) {}

// stop does nothing: GenerateConsoleCtrlEvent sends to a process group, and the program is in the agent's, which may contain
// the shell that started it (https://learn.microsoft.com/windows/console/generateconsolectrlevent). A group of its own would
// not receive Ctrl+C.
func (c *child) stop() {}

func (c *child) kill() { _ = windows.TerminateJobObject(c.job, exitKilled) }

// result is called after the end only.
func (c *child) result() (int, error) {
	var code uint32
	err := c.err
	if err == nil {
		err = windows.GetExitCodeProcess(c.process, &code)
	}
	if err != nil {
		return 0, fmt.Errorf("waiting for %s: %w", c.path, err)
	}
	return int(code), nil
}

// release ends what the program has started and left running. Closing the job is what ends it.
func (c *child) release() {
	_ = windows.CloseHandle(c.process)
	_ = windows.CloseHandle(c.job)
}
