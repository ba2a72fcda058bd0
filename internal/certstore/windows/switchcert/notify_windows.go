package switchcert

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

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// ErrUnavailable is wrapped if this system cannot announce a replaced certificate.
var ErrUnavailable = errors.New("this system has no PowerShell with the command Switch-Certificate")

// notifyTimeout bounds one notification. PowerShell and its module take seconds to load, and longer on a busy node.
const notifyTimeout = time.Minute

// Notify announces that one certificate of a store has replaced another: Windows writes event 1001 to
// Microsoft-Windows-CertificateServicesClient-Lifecycle-System (for CurrentUser: -User), which starts scheduled tasks, such as IIS'
// rebinding and those of New-CertificateNotificationTask
// (https://learn.microsoft.com/archive/technet-wiki/14250.certificate-services-lifecycle-notifications). No
// documented function does this; Switch-Certificate is the documented way. Both certificates must be in the store. It takes at
// most notifyTimeout. A system without such tasks is not an error.
//
// Errors: ErrUnavailable.
func Notify(ctx context.Context, ref certstore.Ref, old, successor string) error {
	script, err := switchScript(ref, old, successor)
	if err != nil {
		return err
	}
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return fmt.Errorf("finding PowerShell: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	return runSwitch(ctx, filepath.Join(system, `WindowsPowerShell\v1.0\powershell.exe`), script)
}

// runSwitch runs the script with the PowerShell at an absolute path: PATH must not select another program.
func runSwitch(ctx context.Context, powershell, script string) error {
	command := exec.CommandContext(ctx, powershell, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", script) //nolint:gosec // the path is the system's, and the script made of checked parts
	command.WaitDelay = time.Second                                                                                 // the pipe may outlive the process
	output, err := command.CombinedOutput()
	message := shorten(output)
	var ended *exec.ExitError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case ctx.Err() != nil:
		return fmt.Errorf("announcing the replaced certificate: %w", ctx.Err())
	case errors.As(err, &ended) && ended.ExitCode() == switchMissing:
		return fmt.Errorf("%w: %s", ErrUnavailable, message)
	case err != nil:
		return fmt.Errorf("announcing the replaced certificate: %w: %s", err, message)
	case !bytes.Contains(output, []byte(switchDone)):
		return fmt.Errorf("%w: PowerShell exited without running the script", ErrUnavailable)
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
