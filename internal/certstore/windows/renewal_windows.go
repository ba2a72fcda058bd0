package windows

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
)

// errNoNotification is wrapped where this system has no way to tell others of a replaced certificate.
var errNoNotification = errors.New("this system has no PowerShell with the command Switch-Certificate")

// notifyTimeout bounds one notification. PowerShell and its module take seconds to load, on a busy node many.
const notifyTimeout = time.Minute

// successorOf returns the thumbprint of the certificate that the system takes a certificate to be renewed by, empty without
// one (CERT_RENEWAL_PROP_ID,
// https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certsetcertificatecontextproperty).
func successorOf(context *windows.CertContext) (string, error) {
	hash, err := property(context, wincrypt.CERT_RENEWAL_PROP_ID)
	return strings.ToUpper(hex.EncodeToString(hash)), err
}

// setSuccessor says that a certificate is renewed by the one with the thumbprint successor; empty takes the link away. What
// Schannel does with a link it does unasked: the successor must be there, with its key, before.
// A certificate that is not in the store is CRYPT_E_NOT_FOUND.
func setSuccessor(store windows.Handle, thumbprint, successor string) error {
	hash, err := hex.DecodeString(successor)
	if err != nil || successor != "" && !thumbprintForm.MatchString(successor) {
		return fmt.Errorf("%q is no thumbprint", successor)
	}
	return withCertificate(store, thumbprint, func(existing *windows.CertContext) error {
		if linked, err := successorOf(existing); err != nil || linked == strings.ToUpper(successor) {
			return err // an unchanged store wakes nobody who watches it
		}
		return replace(store, existing, func(copied *windows.CertContext) error {
			if successor == "" {
				return wincrypt.CertSetCertificateContextProperty(copied, wincrypt.CERT_RENEWAL_PROP_ID, 0, nil)
			}
			blob := windows.CryptHashBlob{Size: uint32(len(hash)), Data: &hash[0]}
			return wincrypt.CertSetCertificateContextProperty(copied, wincrypt.CERT_RENEWAL_PROP_ID, 0, unsafe.Pointer(&blob))
		})
	})
}

// notifyReplaced tells whoever listens that one certificate of a store has replaced another: Windows writes event 1001 to
// Microsoft-Windows-CertificateServicesClient-Lifecycle-System (for CurrentUser: -User), on which scheduled tasks run, such
// as IIS' rebinding and those of New-CertificateNotificationTask
// (https://learn.microsoft.com/archive/technet-wiki/14250.certificate-services-lifecycle-notifications). There is no
// documented function for it; Switch-Certificate is the documented way. Both certificates must be in the store. It takes at
// most notifyTimeout, and that nobody listens is no error.
//
// Errors: errNoNotification.
func notifyReplaced(ctx context.Context, ref certstore.Ref, old, successor string) error {
	script, err := switchScript(ref, old, successor)
	if err != nil {
		return err
	}
	system, err := windows.GetSystemDirectory()
	if err != nil {
		return fmt.Errorf("looking for PowerShell: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	return runSwitch(ctx, filepath.Join(system, `WindowsPowerShell\v1.0\powershell.exe`), script)
}

// runSwitch runs the script, of which the path of PowerShell is given whole: a folder in PATH must not name another.
func runSwitch(ctx context.Context, powershell, script string) error {
	command := exec.CommandContext(ctx, powershell, "-NoLogo", "-NoProfile", "-NonInteractive", "-Command", script) //nolint:gosec // the path is the system's, and the script made of checked parts
	command.WaitDelay = time.Second                                                                                 // the pipe may outlive the process
	output, err := command.CombinedOutput()
	said := shorten(output)
	var ended *exec.ExitError
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("%w: %w", errNoNotification, err)
	case ctx.Err() != nil:
		return fmt.Errorf("notifying of the replaced certificate: %w", ctx.Err())
	case errors.As(err, &ended) && ended.ExitCode() == switchMissing:
		return fmt.Errorf("%w: %s", errNoNotification, said)
	case err != nil:
		return fmt.Errorf("notifying of the replaced certificate: %w: %s", err, said)
	case !bytes.Contains(output, []byte(switchDone)):
		return fmt.Errorf("%w: it ended without doing anything", errNoNotification)
	}
	return nil
}

// shorten makes a message of what PowerShell says: one line of at most 300 bytes.
func shorten(output []byte) string {
	const most = 300
	said := strings.Join(strings.Fields(strings.ToValidUTF8(string(output), "?")), " ")
	if len(said) > most {
		said = strings.ToValidUTF8(said[:most], "") + "…"
	}
	return said
}
