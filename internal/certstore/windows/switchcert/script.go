package switchcert

import (
	"fmt"
	"regexp"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Results of the script: the text distinguishes PowerShell from a program of the same name, such as Wine's, which does nothing and
// exits with 0.
const (
	switchDone    = "vaultpane: notified"
	switchMissing = 3 // exit code: PowerShell exists, the command does not
)

// Forms of the values in the script, which are in quotes and in a literal path: neither a thumbprint nor a store name in the API's
// form can end either.
var (
	thumbprintForm = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)
	storeForm      = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z _.-]{0,62}[0-9A-Za-z])?$`)
)

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
	for _, thumbprint := range []string{old, successor} {
		if !thumbprintForm.MatchString(thumbprint) {
			return "", fmt.Errorf("%q is not a thumbprint", thumbprint)
		}
	}
	return fmt.Sprintf(`$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; `+
		`try { `+
		`$old = Get-Item -LiteralPath 'Cert:\%[1]s\%[2]s\%[3]s'; $new = Get-Item -LiteralPath 'Cert:\%[1]s\%[2]s\%[4]s'; `+
		`Switch-Certificate -OldCert $old -NewCert $new -NotifyOnly -Confirm:$false; '%[5]s' `+
		`} catch [System.Management.Automation.CommandNotFoundException] { $_.Exception.Message; exit %[6]d `+
		`} catch { $_.Exception.Message; exit 1 }`, ref.Location, ref.Name, old, successor, switchDone, switchMissing), nil
}
