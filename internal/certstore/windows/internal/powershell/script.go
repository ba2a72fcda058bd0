package powershell

import "fmt"

// Results of a script: the text distinguishes PowerShell from a program of the same name, such as Wine's, which does nothing and
// exits with 0.
const (
	done    = "vaultpane: done"
	missing = 3 // exit code: PowerShell exists, the command does not
)

// Script returns a script that runs commands and says how they ended. Commands must be fixed texts, with nothing in them but values
// that the caller has checked.
func Script(commands string) string {
	return fmt.Sprintf(`$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; `+
		`try { %s; '%s' `+
		`} catch [System.Management.Automation.CommandNotFoundException] { $_.Exception.Message; exit %d `+
		`} catch { $_.Exception.Message; exit 1 }`, commands, done, missing)
}
