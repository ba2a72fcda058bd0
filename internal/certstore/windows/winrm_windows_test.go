package windows

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/winetest"
)

// powershellText runs a script with Windows' PowerShell and returns what it prints.
func powershellText(t *testing.T, script string) string {
	t.Helper()
	out, err := exec.Command("powershell", "-NoProfile", "-NonInteractive", "-Command", "$ErrorActionPreference = 'Stop'; "+script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v: %s", script, err, out)
	}
	return strings.TrimSpace(string(out))
}

// Windows only: WinRM's own listener for HTTPS follows, and keeps its other settings.
func TestWinRMFollows(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine has no WinRM")
	}
	withoutProgram(t, winrmKey)
	if powershellText(t, "(Get-Service WinRM).Status") != "Running" {
		t.Skip("WinRM does not run")
	}
	var thumbprints []string
	for range 2 {
		made := powershellText(t, `(New-SelfSignedCertificate -DnsName $env:COMPUTERNAME -CertStoreLocation Cert:\LocalMachine\My).Thumbprint`)
		t.Cleanup(func() { powershellText(t, `Remove-Item -Path Cert:\LocalMachine\My\`+made+` -DeleteKey`) })
		thumbprints = append(thumbprints, made)
	}
	const selector = "winrm/config/Listener -SelectorSet @{Address = '*'; Transport = 'HTTPS'}"
	powershellText(t, "$null = New-WSManInstance "+selector+" -ValueSet @{Hostname = $env:COMPUTERNAME; CertificateThumbprint = '"+thumbprints[0]+"'; Port = '45986'}")
	t.Cleanup(func() { powershellText(t, "Remove-WSManInstance "+selector) })
	const settings = "Get-WSManInstance " + selector + " | ForEach-Object { $_.Port + ' ' + $_.Hostname + ' ' + $_.Enabled + ' ' + $_.URLPrefix + ' ' + $_.CertificateThumbprint }"
	before := powershellText(t, settings)
	seen := seenOf(t, winRM)
	if !seen.Exists || seen.Thumbprint != thumbprints[0] || seen.SID != "" {
		t.Fatalf("got %+v, want %s", seen, thumbprints[0])
	}
	if err := (Machine{}).Switch(t.Context(), winRM, seen, myStore, thumbprints[1]); err != nil {
		t.Fatal(err)
	}
	if got, want := powershellText(t, settings), strings.ReplaceAll(before, thumbprints[0], thumbprints[1]); !strings.EqualFold(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
}
