package e2eprograms

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// machine is a Windows machine with an agent.
type machine struct {
	*node.Machine
	dir         string
	environment []string // of the agent
	agent       *node.Process
	programs    int // started
}

// certificate is what the settings of a test say about one.
type certificate struct{ name, url, more string }

// newMachine starts an agent with settings for certificates on a new machine, which ends with the test. Its logs are printed if the
// test fails.
func newMachine(t *testing.T, certificates ...certificate) *machine {
	t.Helper()
	dir, err := os.MkdirTemp(env.dir, "machine-")
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{dir: dir}
	if m.Machine, err = node.NewMachine(t.Context(), node.Wine, env.root, filepath.Join(dir, "prefix")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.close(t) })
	settings := filepath.Join(dir, "settings")
	if err := os.Mkdir(settings, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(settings, "a.yaml"), []byte(manifest(certificates)), 0o600); err != nil {
		t.Fatal(err)
	}
	m.environment = slices.Concat(env.vaults.Env(), m.MachineSettings("vm-000001", env.vaults.CAFile()), []string{
		"VAULTPANE_STATE=" + m.Path(filepath.Join(dir, "state")), "VAULTPANE_SETTINGS=" + m.Path(settings),
		"VAULTPANE_STORE_CHECK_INTERVAL=2s", "VAULTPANE_INITIAL_SPREAD=0s", "VAULTPANE_LOG_FORMAT=text", "VAULTPANE_LOG_LEVEL=1"})
	m.start(t)
	return m
}

// start starts the agent.
func (m *machine) start(t *testing.T) {
	t.Helper()
	var err error
	if m.agent, err = m.Start(filepath.Join(m.dir, "agent.log"), m.environment, "run"); err != nil {
		t.Fatal(err)
	}
}

func (m *machine) close(t *testing.T) {
	if m.agent != nil {
		m.agent.Kill()
	}
	m.Close()
	if t.Failed() {
		files, _ := filepath.Glob(filepath.Join(m.dir, "*.log")) // the pattern is right
		for _, file := range files {
			log, err := os.ReadFile(file)
			t.Logf("--- %s (%v) ---\n%s", filepath.Base(file), err, log)
		}
	}
	_ = os.RemoveAll(m.dir) // below a temporary folder
}

// manifest is a file of ObservedCertificates. No slot comes during a test.
func manifest(certificates []certificate) string {
	var text strings.Builder
	for _, one := range certificates {
		fmt.Fprintf(&text, "---\napiVersion: vaultpane.dev/v1alpha1\nkind: ObservedCertificate\nmetadata: {name: %s}\n"+
			"spec:\n  url: %s\n  pollingIntervalInS: 2592000\n%s", one.name, one.url, one.more)
	}
	return text.String()
}

// served is a certificate with its chain whose key Wine's Schannel can have: in CAPI.
func served(t *testing.T, name string) (certificate, string) {
	t.Helper()
	return certificate{name, env.shop.SecretURL(name), "  keyStorageProvider: CAPI\n  linkOnRenewal: true\n"}, put(t, name)
}

// trusted is the root of the vault's certificates, for LocalMachine\Root.
func trusted(t *testing.T) certificate {
	t.Helper()
	if _, err := env.shop.SetSecret("root", "application/x-pem-file", env.authority.root); err != nil {
		t.Fatal(err)
	}
	return certificate{"root", env.shop.SecretURL("root"), "  certificateStoreName: Root\n"}
}

// put makes a certificate with its chain in the vault, and returns its thumbprint.
func put(t *testing.T, name string) string {
	t.Helper()
	made, err := env.shop.Put(name, keyvault.CertificateOptions{WithChain: true})
	if err != nil {
		t.Fatal(err)
	}
	return made.Thumbprint
}

// find waits until the agent has installed a certificate, and returns it.
func (m *machine) find(t *testing.T, thumbprint string) (found node.Certificate) {
	t.Helper()
	await.That(t, "the store holds "+thumbprint, func() (bool, error) {
		all, err := m.List(t.Context())
		i := slices.IndexFunc(all, func(one node.Certificate) bool { return one.Thumbprint == thumbprint })
		if err == nil && i < 0 {
			err = fmt.Errorf("it holds %+v", all)
		}
		if err == nil {
			found = all[i]
		}
		return err == nil, err
	})
	return found
}

// renew renews a certificate, waits until the agent has installed the new version, and returns its thumbprint.
func (m *machine) renew(t *testing.T, name string) string {
	t.Helper()
	made, err := env.shop.Rotate(name)
	if err != nil {
		t.Fatal(err)
	}
	if !m.agent.Running() {
		m.start(t)
	}
	await.That(t, "the agent polls", func() (bool, error) {
		_, err := m.Run(t.Context(), "vaultpane-agent", m.environment, "poll", "--wait=1m")
		return err == nil, err
	})
	m.find(t, made.Thumbprint)
	return made.Thumbprint
}

// linked waits until a version is linked to the one that renewed it.
func (m *machine) linked(t *testing.T, before, after string) {
	t.Helper()
	await.That(t, before+" is linked to "+after, func() (bool, error) {
		all, err := m.List(t.Context())
		return slices.ContainsFunc(all, func(one node.Certificate) bool {
			return one.Thumbprint == before && one.Successor == after
		}), err
	})
}

// program is a Windows program that was started.
type program struct {
	*node.Process
	name, log string
}

// launch starts a Windows program, which ends with the test.
func (m *machine) launch(t *testing.T, environment []string, command ...string) *program {
	t.Helper()
	m.programs++
	p := &program{name: strings.Join(command[1:], " "), log: filepath.Join(m.dir, fmt.Sprintf("program-%d.log", m.programs))}
	var err error
	if p.Process, err = m.StartProgram(command[0], p.log, environment, command[1:]...); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}

// said is what it has printed.
func (p *program) said(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.log)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.ReplaceAll(string(text), "\r", ""))
}

// says waits until it has printed something.
func (p *program) says(t *testing.T, text string) {
	t.Helper()
	await.That(t, p.name+" says "+text, func() (bool, error) {
		running := p.Running()
		said := p.said(t)
		if !running && !strings.Contains(said, text) {
			t.Fatalf("%s has ended with exit code %d, and should have said %q: %s", p.name, p.ExitCode(), text, said)
		}
		return strings.Contains(said, text), nil
	})
}

// ends waits for its end, and returns what it has printed and its exit code.
func (p *program) ends(t *testing.T) (said string, code int) {
	t.Helper()
	await.That(t, p.name+" has ended", func() (bool, error) { return !p.Running(), nil })
	return p.said(t), p.ExitCode()
}

// gone waits until the store no longer holds a certificate.
func (m *machine) gone(t *testing.T, thumbprint string) {
	t.Helper()
	await.That(t, "the store no longer holds "+thumbprint, func() (bool, error) {
		all, err := m.List(t.Context())
		return !slices.ContainsFunc(all, func(one node.Certificate) bool { return one.Thumbprint == thumbprint }), err
	})
}
