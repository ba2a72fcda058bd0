package switchcert

import (
	"fmt"
	"regexp"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// What switchScript answers: the text tells PowerShell from a program that is only called so, such as Wine's, which does
// nothing and ends well.
const (
	switchDone    = "vaultpane: notified"
	switchMissing = 3 // exit code: PowerShell is there, and the command is not
)

// What may stand in the script. PowerShell sees it between quotes and in a path that is taken literally; neither a thumbprint
// nor the name of a store as the API takes it can end either.
var (
	thumbprintForm = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)
	storeForm      = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z _.-]{0,62}[0-9A-Za-z])?$`)
)

// switchScript returns the PowerShell script that tells Windows that a certificate has replaced another, and changes neither:
// Switch-Certificate with NotifyOnly
// (https://learn.microsoft.com/powershell/module/pki/switch-certificate).
func switchScript(ref certstore.Ref, old, successor string) (string, error) {
	if ref.Location != certstore.LocalMachine && ref.Location != certstore.CurrentUser {
		return "", fmt.Errorf("%q is no store location", ref.Location)
	}
	if !storeForm.MatchString(ref.Name) {
		return "", fmt.Errorf("the store name %q has characters that PowerShell might take for something else", ref.Name)
	}
	for _, thumbprint := range []string{old, successor} {
		if !thumbprintForm.MatchString(thumbprint) {
			return "", fmt.Errorf("%q is no thumbprint", thumbprint)
		}
	}
	return fmt.Sprintf(`$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; `+
		`try { `+
		`$old = Get-Item -LiteralPath 'Cert:\%[1]s\%[2]s\%[3]s'; $new = Get-Item -LiteralPath 'Cert:\%[1]s\%[2]s\%[4]s'; `+
		`Switch-Certificate -OldCert $old -NewCert $new -NotifyOnly -Confirm:$false; '%[5]s' `+
		`} catch [System.Management.Automation.CommandNotFoundException] { $_.Exception.Message; exit %[6]d `+
		`} catch { $_.Exception.Message; exit 1 }`, ref.Location, ref.Name, old, successor, switchDone, switchMissing), nil
}
