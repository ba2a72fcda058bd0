package remotedesktop

import (
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/hklm"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
)

// The value that names the certificate, in LocalMachine\MY, by its SHA-1 hash, REG_BINARY. Without it the listener has a certificate
// that Windows makes
// (https://learn.microsoft.com/troubleshoot/windows-server/remote/remote-desktop-listener-certificate-configurations).
const (
	path  = `SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp`
	value = "SSLCertificateSHA1Hash"
)

// Certificate returns the thumbprint of the listener's certificate, "" if none was chosen. exists is false if the machine has no
// listener.
func Certificate() (found string, exists bool, err error) {
	hash, exists, err := hklm.Binary(path, value)
	if err != nil {
		return "", false, err
	}
	return thumbprint.Text(hash), exists, nil
}

// Set sets the certificate of a listener that has the certificate seen.
func Set(seen, next string) error {
	hash, err := thumbprint.Bytes(next)
	if err != nil {
		return err
	}
	now, _, err := Certificate()
	if err != nil {
		return err
	}
	if err := thumbprint.Unchanged(now, seen); err != nil {
		return err
	}
	return hklm.SetBinary(path, value, hash)
}
