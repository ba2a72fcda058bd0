package switchcert

import (
	"fmt"
	"regexp"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/powershell"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
)

// storeForm is the API's form of store names. In the script a name is in quotes and in a literal path: neither it nor a thumbprint
// can end either.
var storeForm = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z _.-]{0,62}[0-9A-Za-z])?$`)

// switchScript returns a PowerShell script that announces that a certificate has replaced another, and changes neither:
// Switch-Certificate with NotifyOnly
// (https://learn.microsoft.com/powershell/module/pki/switch-certificate).
func switchScript(ref certstore.Ref, old, successor string) (string, error) {
	if ref.Location != certstore.LocalMachine && ref.Location != certstore.CurrentUser {
		return "", fmt.Errorf("%q is not a store location", ref.Location)
	}
	if !storeForm.MatchString(ref.Name) {
		return "", fmt.Errorf("the store name %q has characters that PowerShell might interpret", ref.Name)
	}
	for _, text := range []string{old, successor} {
		if _, err := thumbprint.Bytes(text); err != nil {
			return "", err
		}
	}
	return powershell.Script(fmt.Sprintf(
		`$old = Get-Item -LiteralPath 'Cert:\%[1]s\%[2]s\%[3]s'; $new = Get-Item -LiteralPath 'Cert:\%[1]s\%[2]s\%[4]s'; `+
			`Switch-Certificate -OldCert $old -NewCert $new -NotifyOnly -Confirm:$false`, ref.Location, ref.Name, old, successor)), nil
}
