package e2emachine

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

const hostName = "vm-000001"

// host is a machine with an empty store, a folder of settings files, and a folder for the agent's state.
type host struct {
	*node.Machine
	dir   string
	agent *node.Process
	// on is a program that runs from the start on, so that Wine does not boot again for each command: what it boots keeps the
	// command's output open.
	on *node.Process
}

// newHost makes a machine that ends with the test. Its log is printed if the test fails.
func newHost(t *testing.T) *host {
	t.Helper()
	dir, err := os.MkdirTemp(env.dir, "host-")
	if err != nil {
		t.Fatal(err)
	}
	h := &host{dir: dir}
	if h.Machine, err = node.NewMachine(t.Context(), env.kind, env.root, filepath.Join(dir, "machine")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(h.settings(), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.close(t) })
	if env.kind == node.Wine {
		h.boot(t)
	}
	return h
}

// boot boots Wine, and ends it before if it runs.
func (h *host) boot(t *testing.T) {
	t.Helper()
	if h.on != nil {
		h.Close()
		h.on.Kill()
	}
	log := filepath.Join(h.dir, "boot.log")
	_ = os.Remove(log) // there is none of the first time
	var err error
	if h.on, err = h.StartProgram(env.witness, log, nil, "stay"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "Wine has booted", func() (bool, error) {
		text, err := os.ReadFile(log)
		return strings.Contains(string(text), "witness: stays"), err
	})
}

func (h *host) close(t *testing.T) {
	env.shop.Heal()
	for _, process := range []*node.Process{h.agent, h.on} {
		if process != nil {
			process.Kill()
		}
	}
	h.Close()
	if t.Failed() {
		h.printLogs(t)
	}
	_ = os.RemoveAll(h.dir) // below a temporary folder
}

// printLogs prints what the agents and programs have printed, and the service's own log.
func (h *host) printLogs(t *testing.T) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(h.dir, "*.log")) // the pattern is right
	for _, file := range files {
		log, err := os.ReadFile(file)
		t.Logf("--- %s (%v) ---\n%s", filepath.Base(file), err, log)
	}
}

func (h *host) settings() string { return filepath.Join(h.dir, "settings") }

func (h *host) state() string { return filepath.Join(h.dir, "state") }

func (h *host) log() string { return filepath.Join(h.dir, "agent.log") }

// environment has the agent's settings, with shorter waits.
func (h *host) environment() []string {
	return slices.Concat(env.vaults.Env(), h.MachineSettings(hostName, env.vaults.CAFile()), []string{
		"VAULTPANE_STATE=" + h.Path(h.state()), "VAULTPANE_SETTINGS=" + h.Path(h.settings()), "VAULTPANE_STORE_CHECK_INTERVAL=2s",
		"VAULTPANE_INITIAL_SPREAD=0s", "VAULTPANE_LOG_FORMAT=text", "VAULTPANE_LOG_LEVEL=1"})
}

// start starts an agent, and kills the one that runs.
func (h *host) start(t *testing.T, command ...string) {
	t.Helper()
	if h.agent != nil {
		h.agent.Kill()
	}
	if len(command) == 0 {
		command = []string{"run"}
	}
	var err error
	if h.agent, err = h.Start(h.log(), h.environment(), command...); err != nil {
		t.Fatal(err)
	}
}

// result is how a command of the agent's executable ended.
type result struct {
	code           int
	stdout, stderr string
}

// tool runs a command of the agent's executable to its end.
func (h *host) tool(t *testing.T, arguments ...string) result {
	t.Helper()
	return h.toolWith(t, h.environment(), arguments...)
}

func (h *host) toolWith(t *testing.T, environment []string, arguments ...string) result {
	t.Helper()
	output, err := h.Run(context.WithoutCancel(t.Context()), "vaultpane-agent", environment, arguments...)
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return result{exit.ExitCode(), output, string(exit.Stderr)}
	case err != nil:
		t.Fatal(err)
	}
	return result{stdout: output}
}

// logged waits until the agent, or the program beside it, has printed something.
func (h *host) logged(t *testing.T, text string) {
	t.Helper()
	eventually(t, "the log has "+text, func() (bool, error) { return h.says(text) })
}

// put makes a certificate in the vault and returns its thumbprint.
func put(t *testing.T, name string) string {
	t.Helper()
	made, err := env.shop.Put(name, keyvault.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made.Thumbprint
}

// rotate makes another version of a certificate, and returns its thumbprint.
func rotate(t *testing.T, name string) string {
	t.Helper()
	made, err := env.shop.Rotate(name)
	if err != nil {
		t.Fatal(err)
	}
	return made.Thumbprint
}

// requests are those that the vault has had for a certificate.
func requests(name string) int { return env.shop.Stats().BySecret[name] }
