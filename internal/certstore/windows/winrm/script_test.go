package winrm

import (
	"strings"
	"testing"
)

const some = "0123456789ABCDEF0123456789ABCDEF01234567"

func TestSetScript(t *testing.T) {
	got, err := setScript(some)
	want := `$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; try { ` +
		`$null = Set-WSManInstance -ResourceURI 'winrm/config/Listener' -SelectorSet @{Address = '*'; Transport = 'HTTPS'} ` +
		`-ValueSet @{CertificateThumbprint = '0123456789ABCDEF0123456789ABCDEF01234567'}; 'vaultpane: done' ` +
		`} catch [System.Management.Automation.CommandNotFoundException] { $_.Exception.Message; exit 3 ` +
		`} catch { $_.Exception.Message; exit 1 }`
	if err != nil || got != want {
		t.Errorf("got %s (%v), want %s", got, err, want)
	}
}

func TestSetScriptTakesAThumbprintOnly(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":           "",
		"a quote":           some + "'; Stop-Computer; '",
		"a curly quote":     some[1:] + "\u2019",
		"a line's end":      some + "\n",
		"a variable":        "$env:TEMP",
		"full-width digits": strings.Repeat("\uFF10", 40),
	} {
		if got, err := setScript(text); err == nil {
			t.Errorf("%s: %s", name, got)
		}
	}
}
