package winrm

import (
	"fmt"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/powershell"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
)

// setScript returns a PowerShell script that sets the certificate of the listener and nothing else of it
// (https://learn.microsoft.com/powershell/module/microsoft.wsman.management/set-wsmaninstance).
func setScript(next string) (string, error) {
	if _, err := thumbprint.Bytes(next); err != nil {
		return "", err
	}
	return powershell.Script(fmt.Sprintf(`$null = Set-WSManInstance -ResourceURI 'winrm/config/Listener' `+
		`-SelectorSet @{Address = '*'; Transport = 'HTTPS'} -ValueSet @{CertificateThumbprint = '%s'}`, next)), nil
}
