package agent

import (
	"errors"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
)

// directoryOf is a machine whose accounts answer with a SID, or with an error.
type directoryOf struct {
	directory.Machine
	answers map[string]any
}

func (d *directoryOf) Resolve(account string) (string, error) {
	switch answer := d.answers[account].(type) {
	case string:
		return answer, nil
	case error:
		return "", answer
	}
	return "", &certstore.UnknownAccount{Account: account, Err: errors.New("no such account")}
}

func TestWhoMayUseAKeyWhileAccountsCannotBeAskedFor(t *testing.T) {
	machine, known := &directoryOf{}, &accounts{}
	machine.answers = map[string]any{`D\a`: "S-1-5-21-1"}
	if first := known.accessFor(machine, []string{`D\a`}, noon); !first.settled || first.problem != nil {
		t.Fatalf("with everybody known: %+v", first)
	}
	machine.answers = map[string]any{`D\a`: errors.New("the domain is away"), `D\b`: errors.New("the domain is away")}
	later := noon.Add(knownFor)
	tests := []struct {
		name    string
		names   []string
		settled bool
		says    string
	}{
		{"one that was known lacks nothing", []string{`D\a`}, true, ""},
		{"one that was never known leaves open who lacks what", []string{`D\b`}, false, `"D\b" (the domain is away)`},
		{"also before one that was", []string{`D\b`, `D\a`}, false, `"D\b"`},
		{"and behind one", []string{`D\a`, `D\b`}, false, `"D\b"`},
		{"one that is unknown for certain is said by its name as it is written", []string{`D\a`, `D\none`}, true, `"D\none" (no such account)`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := known.accessFor(machine, test.names, later)
			said := ""
			if got.problem != nil {
				said = got.problem.Error()
			}
			if got.settled != test.settled || (said == "") != (test.says == "") || !strings.Contains(said, test.says) {
				t.Errorf("settled %v and %q, want %v and %q", got.settled, said, test.settled, test.says)
			}
		})
	}
}
