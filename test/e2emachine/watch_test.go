package e2emachine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/node"
)

// observer is an observer of the machine in a process of its own.
type observer struct {
	process   *node.Process
	log, stop string
}

// observe starts an observer of a kind that the witness knows, and waits for its first look.
func (h *host) observe(t *testing.T, kind string, arguments ...string) observer {
	t.Helper()
	o := observer{log: filepath.Join(h.dir, kind+".log"), stop: filepath.Join(h.dir, "stop-"+kind)}
	var err error
	if o.process, err = h.StartProgram(env.witness, o.log, nil, append([]string{kind, h.Path(o.stop)}, arguments...)...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.process.Kill)
	eventually(t, "the observer has looked", func() (bool, error) {
		text, err := os.ReadFile(o.log)
		return strings.Contains(string(text), "witness: watches"), err
	})
	return o
}

// end ends the observer, and reads what it has seen, which is its last line.
func (o observer) end(t *testing.T, seen any) {
	t.Helper()
	if err := os.WriteFile(o.stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the observer has ended", func() (bool, error) { return !o.process.Running(), nil })
	text, err := os.ReadFile(o.log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), seen); err != nil {
		t.Fatalf("the observer says %q: %v", text, err)
	}
}

// watch starts to observe certificates that are in the store. The observer signs with each at every look.
func (h *host) watch(t *testing.T, names []string) observer {
	t.Helper()
	var subjects []string
	for _, name := range names {
		subjects = append(subjects, name+".example.com")
	}
	return h.observe(t, "watch", subjects...)
}

// sawCertificates checks what the observer has seen: at least so many certificates, and never one missing or without its key.
func (o observer) sawCertificates(t *testing.T, renewals int) {
	t.Helper()
	var seen struct {
		Looks, Renewals int
		Problems        []string
	}
	o.end(t, &seen)
	t.Logf("the observer has looked %d times and seen %d certificates", seen.Looks, seen.Renewals)
	if seen.Looks < 100 || seen.Renewals < renewals {
		t.Errorf("it has looked %d times and seen %d certificates, too few to say anything", seen.Looks, seen.Renewals)
	}
	for _, problem := range seen.Problems {
		t.Errorf("the observer saw: %s", problem)
	}
}
