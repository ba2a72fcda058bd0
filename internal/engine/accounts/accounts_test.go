package accounts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
)

// domain is a machine whose accounts resolve to a SID or fail with an error.
type domain struct {
	directory.Machine
	accounts map[string]any
}

func (d *domain) Resolve(account string) (string, error) {
	switch found := d.accounts[account].(type) {
	case string:
		return found, nil
	case error:
		return "", found
	}
	return "", &certstore.UnknownAccount{Account: account, Err: errors.New("no such account")}
}

func TestAccessWhileAccountsCannotBeLookedUp(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	machine, resolver := &domain{}, &Resolver{}
	machine.accounts = map[string]any{`D\a`: "S-1-5-21-1"}
	if first := resolver.Of(machine, []string{`D\a`}, noon); !first.Settled || first.Err != nil {
		t.Fatalf("with every account known: %+v", first)
	}
	machine.accounts = map[string]any{`D\a`: errors.New("the domain is unreachable"), `D\b`: errors.New("the domain is unreachable")}
	later := noon.Add(knownFor)
	tests := []struct {
		name    string
		names   []string
		settled bool
		says    string
	}{
		{"an account that was known keeps its access", []string{`D\a`}, true, ""},
		{"an account that was never known leaves the access unsettled", []string{`D\b`}, false, `"D\b" (the domain is unreachable)`},
		{"also before one that was known", []string{`D\b`, `D\a`}, false, `"D\b"`},
		{"and after one", []string{`D\a`, `D\b`}, false, `"D\b"`},
		{"an account that does not exist is named as the spec writes it", []string{`D\a`, `D\none`}, true, `"D\none" (no such account)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := resolver.Of(machine, test.names, later)
			said := ""
			if got.Err != nil {
				said = got.Err.Error()
			}
			if got.Settled != test.settled || (said == "") != (test.says == "") || !strings.Contains(said, test.says) {
				t.Errorf("settled %v and %q, want %v and %q", got.Settled, said, test.settled, test.says)
			}
		})
	}
}
