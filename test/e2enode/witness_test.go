//go:build linux

package e2enode

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/node"
)

// subject is the name in the certificate.
const subject = "web.example.com"

// witness is test/witness, which shares no code with the product: it signs with the certificate in the node's store at every look.
type witness struct {
	process   *node.Process
	log, stop string
}

// watch starts the witness once the certificate is there.
func (l *life) watch(t *testing.T) {
	t.Helper()
	w := &witness{log: filepath.Join(l.dir, "witness.log"), stop: filepath.Join(l.dir, "stop")}
	command := exec.Command(filepath.Join(l.root, "bin", "e2e-node-witness"), "watch", w.stop, subject)
	command.Env = append(os.Environ(), "VAULTPANE_STORE_PATH="+l.node.Path(storePath))
	var err error
	if w.process, err = node.StartProcess(command, w.log); err != nil {
		t.Fatal(err)
	}
	l.witness = w
}

// report ends the witness, and says what it saw: at least so many certificates one after another, and none missing or without its key.
func (w *witness) report(t *testing.T, renewals int) {
	t.Helper()
	defer w.process.Kill()
	if err := os.WriteFile(w.stop, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	await.That(t, "the witness has ended", func() (bool, error) { return !w.process.Running(), nil })
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
		t.Fatalf("the witness says %q: %v", text, err)
	}
	t.Logf("The witness signed %d times, with %d certificates", seen.Looks, seen.Renewals)
	if seen.Renewals < renewals {
		t.Errorf("the witness saw %d certificates, want %d", seen.Renewals, renewals)
	}
	for _, problem := range seen.Problems {
		t.Errorf("the witness saw: %s", problem)
	}
}
