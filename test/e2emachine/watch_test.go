package e2emachine

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/node"
)

// watch is an observer of the store in a process of its own.
type watch struct {
	process   *node.Process
	log, stop string
}

// watch starts to observe certificates that are in the store. The observer signs with each at every look.
func (h *host) watch(t *testing.T, names []string) watch {
	t.Helper()
	w := watch{log: filepath.Join(h.dir, "watch.log"), stop: filepath.Join(h.dir, "stop")}
	arguments := []string{"watch", h.Path(w.stop)}
	for _, name := range names {
		arguments = append(arguments, name+".example.com")
	}
	var err error
	if w.process, err = h.StartProgram(env.witness, w.log, nil, arguments...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.process.Kill)
	eventually(t, "the observer has looked", func() (bool, error) {
		text, err := os.ReadFile(w.log)
		return strings.Contains(string(text), "witness: watches"), err
	})
	return w
}

// end checks what the observer has seen: at least so many certificates, and never one missing or without its key.
func (w watch) end(t *testing.T, renewals int) {
	t.Helper()
	if err := os.WriteFile(w.stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the observer has ended", func() (bool, error) { return !w.process.Running(), nil })
	text, err := os.ReadFile(w.log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var seen struct {
		Looks, Renewals int
		Problems        []string
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &seen); err != nil {
		t.Fatalf("the observer says %q: %v", text, err)
	}
	t.Logf("the observer has looked %d times and seen %d certificates", seen.Looks, seen.Renewals)
	if seen.Looks < 100 || seen.Renewals < renewals {
		t.Errorf("it has looked %d times and seen %d certificates, too few to say anything", seen.Looks, seen.Renewals)
	}
	for _, problem := range seen.Problems {
		t.Errorf("the observer saw: %s", problem)
	}
}
