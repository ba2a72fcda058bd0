package switchcert

import (
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

const (
	oldThumbprint = "0123456789ABCDEF0123456789ABCDEF01234567"
	newThumbprint = "89ABCDEF0123456789ABCDEF0123456789ABCDEF"
)

func TestSwitchScript(t *testing.T) {
	got, err := switchScript(certstore.Ref{Location: certstore.LocalMachine, Name: "Remote Desktop"}, oldThumbprint, newThumbprint)
	want := `$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; try { ` +
		`$old = Get-Item -LiteralPath 'Cert:\LocalMachine\Remote Desktop\0123456789ABCDEF0123456789ABCDEF01234567'; ` +
		`$new = Get-Item -LiteralPath 'Cert:\LocalMachine\Remote Desktop\89ABCDEF0123456789ABCDEF0123456789ABCDEF'; ` +
		`Switch-Certificate -OldCert $old -NewCert $new -NotifyOnly -Confirm:$false; 'vaultpane: done' ` +
		`} catch [System.Management.Automation.CommandNotFoundException] { $_.Exception.Message; exit 3 ` +
		`} catch { $_.Exception.Message; exit 1 }`
	if err != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func TestSwitchScriptRejectsInjections(t *testing.T) {
	machine := certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}
	storeNamed := func(name string) certstore.Ref { return certstore.Ref{Location: certstore.LocalMachine, Name: name} }
	for name, test := range map[string]struct {
		ref            certstore.Ref
		old, successor string
	}{
		"a quote in the store":              {storeNamed(`MY'; Stop-Computer; '`), oldThumbprint, newThumbprint},
		"a quote that looks like one":       {storeNamed("MY\u2019; Stop-Computer"), oldThumbprint, newThumbprint}, // PowerShell takes it for '
		"a variable":                        {storeNamed(`$env:TEMP`), oldThumbprint, newThumbprint},
		"a path":                            {storeNamed(`..\Root`), oldThumbprint, newThumbprint},
		"a line's end":                      {storeNamed("MY\nStop-Computer"), oldThumbprint, newThumbprint},
		"a line's end last":                 {storeNamed("MY\n"), oldThumbprint, newThumbprint},
		"no store":                          {storeNamed(""), oldThumbprint, newThumbprint},
		"a store without end":               {storeNamed(strings.Repeat("a", 65)), oldThumbprint, newThumbprint},
		"a location":                        {certstore.Ref{Location: `LocalMachine\Root`, Name: "MY"}, oldThumbprint, newThumbprint},
		"a short old thumbprint":            {machine, oldThumbprint[1:], newThumbprint},
		"a successor with more":             {machine, oldThumbprint, newThumbprint + "'"},
		"a successor with a line's end":     {machine, oldThumbprint, newThumbprint + "\n"},
		"a successor of other characters":   {machine, oldThumbprint, strings.Repeat("'", 40)},
		"no successor":                      {machine, oldThumbprint, ""},
		"an old thumbprint with full-width": {machine, strings.Repeat("\uFF10", 40), newThumbprint},
	} {
		if got, err := switchScript(test.ref, test.old, test.successor); err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
}
