package powershell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/windows"
)

// ErrUnavailable is wrapped if this system has no PowerShell, or not the command.
var ErrUnavailable = errors.New("this system has no PowerShell")

// timeout bounds one script. PowerShell and its modules take seconds to load, and longer on a busy node.
const timeout = time.Minute

// Run runs a text of Script, whose main command is named in errors. It takes at most a minute.
//
// Errors: ErrUnavailable; what PowerShell says, on one line.
func Run(ctx context.Context, command, script string) error {
	// https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsystemdirectoryw
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return fmt.Errorf("finding PowerShell: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return run(ctx, filepath.Join(system, `WindowsPowerShell\v1.0\powershell.exe`), command, script)
}

// run runs the script with the PowerShell at an absolute path: PATH must not select another program.
func run(ctx context.Context, powershell, command, script string) error {
	process := exec.CommandContext(ctx, powershell, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", script) //nolint:gosec // the path is the system's, and the script made of checked parts
	process.WaitDelay = time.Second                                                                                 // the pipe may outlive the process
	output, err := process.CombinedOutput()
	message := shorten(output)
	var ended *exec.ExitError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w with the command %s: %w", ErrUnavailable, command, err)
	case ctx.Err() != nil:
		return fmt.Errorf("running %s: %w", command, ctx.Err())
	case errors.As(err, &ended) && ended.ExitCode() == missing:
		return fmt.Errorf("%w with the command %s: %s", ErrUnavailable, command, message)
	case err != nil:
		return fmt.Errorf("running %s: %w: %s", command, err, message)
	case !bytes.Contains(output, []byte(done)):
		return fmt.Errorf("%w with the command %s: it exited without running the script", ErrUnavailable, command)
	}
	return nil
}

// shorten returns PowerShell's output as one line of at most 300 bytes.
func shorten(output []byte) string {
	const most = 300
	line := strings.Join(strings.Fields(strings.ToValidUTF8(string(output), "?")), " ")
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}
