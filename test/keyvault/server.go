package keyvault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

// caName is the name of the CA's file in the server's folder.
const caName = "ca.pem"

// Options configure a Server.
type Options struct {
	// Dir is the folder for the CA's file; it is created if missing. Empty for a temporary one, which Close removes.
	Dir string
	// Vaults are the vaults' names; each gets its own port.
	Vaults []string
}

// Server is a set of vaults with one tenant, one TLS CA and one CA for the certificates in the vaults.
type Server struct {
	dir    string
	remove bool
	vaults map[string]*Vault
	tls    *issuer
	caPEM  []byte
	tenant *tenant
	// issuers makes the certificates' root and intermediate when the first certificate is made, since RSA keys take long.
	issuers func() (chain, error)

	mu       sync.Mutex
	watchers []func(NewVersion)
}

// Start starts a server. The caller ends it with Close.
func Start(options Options) (*Server, error) {
	s := &Server{dir: options.Dir, vaults: map[string]*Vault{}, issuers: sync.OnceValues(newChain)}
	if err := s.start(options.Vaults); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Server) start(vaults []string) error {
	if err := s.prepareDir(); err != nil {
		return err
	}
	var err error
	if s.tls, err = newTLSIssuer(); err != nil {
		return err
	}
	s.caPEM = certificatePEM(s.tls.certificate.Raw)
	if err := os.WriteFile(s.CAFile(), s.caPEM, 0o644); err != nil {
		return fmt.Errorf("writing the CA's file: %w", err)
	}
	if s.tenant, err = startTenant(s.tls); err != nil {
		return err
	}
	for _, name := range vaults {
		if s.vaults[name] != nil {
			return fmt.Errorf("the vault %s is named twice", name)
		}
		if s.vaults[name], err = startVault(s, name); err != nil {
			return fmt.Errorf("starting the vault %s: %w", name, err)
		}
	}
	return nil
}

func (s *Server) prepareDir() error {
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "vaultpane-keyvault-")
		if err != nil {
			return fmt.Errorf("making a folder: %w", err)
		}
		s.dir, s.remove = dir, true
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("creating the folder: %w", err)
	}
	return nil
}

// ForTest starts a server that is closed at the end of the test. It fails the test if the server does not start.
func ForTest(t testing.TB, vaults ...string) *Server {
	t.Helper()
	s, err := Start(Options{Dir: testDir(t), Vaults: vaults})
	if err != nil {
		t.Fatalf("starting Key Vault: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("stopping Key Vault: %v", err)
		}
	})
	return s
}

// Close ends all listeners and connections and removes the folder if it was a temporary one.
func (s *Server) Close() error {
	var problems []error
	for _, vault := range s.vaults {
		if vault != nil {
			vault.Stop()
		}
	}
	if s.tenant != nil {
		s.tenant.stop()
	}
	if s.remove {
		err := os.RemoveAll(s.dir)
		if runtime.GOOS != "windows" { // Wine 8 lacks the call by which Go removes folders
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// Vault returns a vault by its name. It panics if the server was started without it.
func (s *Server) Vault(name string) *Vault {
	vault, ok := s.vaults[name]
	if !ok {
		panic(fmt.Sprintf("keyvault: the server was started without a vault %q", name))
	}
	return vault
}

// CAFile returns the path of the PEM file with the CA that issued the server's TLS certificates.
func (s *Server) CAFile() string { return filepath.Join(s.dir, caName) }

// CAPEM returns that file's content.
func (s *Server) CAPEM() []byte { return append([]byte(nil), s.caPEM...) }

// TokenRequests returns the number of token requests to the token endpoint and the managed identity endpoint, successful or not.
func (s *Server) TokenRequests() int { return s.tenant.tokens.requestCount() }

// testDir returns a folder for the server's certificate. It is not removed on Windows: Wine 8 lacks the call by which Go removes
// folders, so that t.TempDir fails the test there.
func testDir(t testing.TB) string {
	t.Helper()
	if runtime.GOOS != "windows" {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("", "vaultpane-keyvault-")
	if err != nil {
		t.Fatalf("making a folder: %v", err)
	}
	return dir
}
