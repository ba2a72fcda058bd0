package winrm

import (
	"context"
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/hklm"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/powershell"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
)

// Where WinRM keeps its listener for HTTPS on all addresses, with the thumbprint as REG_SZ. Microsoft documents the listener and its
// property CertificateThumbprint
// (https://learn.microsoft.com/windows/win32/winrm/installation-and-configuration-for-windows-remote-management#listener-and-protocol-settings-for-winrm-service),
// not this place. It is only read: asking WinRM takes seconds and needs its service to run. Set goes the documented way.
const (
	path  = `SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener\*+HTTPS`
	value = "certThumbprint"
)

// Certificate returns the thumbprint of the listener's certificate, "" for none. exists is false if the machine has no listener for
// HTTPS on all addresses.
func Certificate() (found string, exists bool, err error) {
	text, exists, err := hklm.Text(path, value)
	return thumbprint.Clean(text), exists, err
}

// Set sets the certificate of a listener that has the certificate seen. WinRM must run.
//
// Errors: powershell.ErrUnavailable; what WinRM says, such as that the certificate is not for the listener's host name.
func Set(ctx context.Context, seen, next string) error {
	script, err := setScript(next)
	if err != nil {
		return err
	}
	if err := unchanged(seen); err != nil {
		return err
	}
	if err := powershell.Run(ctx, "Set-WSManInstance", script); err != nil {
		return fmt.Errorf("setting the certificate of WinRM's HTTPS listener: %w", err)
	}
	now, _, err := Certificate()
	if err == nil && !strings.EqualFold(now, next) {
		err = fmt.Errorf("WinRM has accepted the certificate %s, and has %q", next, now)
	}
	return err
}

func unchanged(seen string) error {
	now, _, err := Certificate()
	if err != nil {
		return err
	}
	return thumbprint.Unchanged(now, seen)
}
