package e2eprograms

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// env is what the tests share. They run one after another, each on a machine of its own.
var env environment

type environment struct {
	root, dir   string
	wineVersion int // the major one
	vaults      *keyvault.Server
	shop        *keyvault.Vault
	authority   authority
}

// authority is the root of the vault's certificates, and the intermediate that issues them.
type authority struct {
	root, thumbprint string // as PEM, and its thumbprint
	// strict trusts the root only, and has the intermediate of the server. knowing has it already.
	strict, knowing trust
}

// trust is what a client on this system trusts.
type trust struct {
	file                 string // as PEM
	roots, intermediates *x509.CertPool
}

func TestMain(m *testing.M) {
	err := env.prepare()
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2eprograms: preparing:", err)
	} else {
		code = m.Run()
	}
	if env.vaults != nil {
		_ = env.vaults.Close() // it ends with this process anyway
	}
	_ = os.RemoveAll(env.dir) // a temporary folder
	os.Exit(code)
}

func (e *environment) prepare() error {
	var err error
	if e.root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		return err
	}
	if e.wineVersion, err = node.WineVersion(e.root); err != nil {
		return err
	}
	if e.dir, err = os.MkdirTemp("", "vaultpane-programs-"); err != nil {
		return err
	}
	if e.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(e.dir, "keyvault"), Vaults: []string{"shop"}}); err != nil {
		return err
	}
	e.shop = e.vaults.Vault("shop")
	e.authority, err = e.findAuthority()
	return err
}

// findAuthority reads the root and the intermediate from the chain of a certificate.
func (e *environment) findAuthority() (authority, error) {
	_, chain, err := e.issue("any")
	if err != nil {
		return authority{}, err
	}
	root, intermediate := chain[2], chain[1]
	strict := trust{file: filepath.Join(e.dir, "root.pem"), roots: x509.NewCertPool(), intermediates: x509.NewCertPool()}
	strict.roots.AddCert(root)
	knowing := trust{file: filepath.Join(e.dir, "chain.pem"), roots: strict.roots, intermediates: x509.NewCertPool()}
	knowing.intermediates.AddCert(intermediate)
	return authority{root: text(root), thumbprint: thumbprintOf(root), strict: strict, knowing: knowing}, errors.Join(
		os.WriteFile(strict.file, []byte(text(root)), 0o600),
		os.WriteFile(knowing.file, []byte(text(root)+text(intermediate)), 0o600))
}

func text(certificate *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw}))
}

// issue makes a certificate in the vault that no agent installs. It returns its PEM, with the key and the chain up to the root.
func (e *environment) issue(name string) (text string, chain []*x509.Certificate, err error) {
	if _, err = e.shop.Put(name, keyvault.CertificateOptions{ContentType: keyvault.PEM, WithChain: true}); err != nil {
		return "", nil, err
	}
	want := name + ".example.com"
	for _, text = range e.shop.Values() {
		if chain, err = certificatesIn(text); err == nil && len(chain) == 3 && chain[0].Subject.CommonName == want {
			return text, chain, nil
		}
	}
	return "", nil, errors.New("the vault has no certificate for " + want)
}

func certificatesIn(text string) (all []*x509.Certificate, err error) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		one, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// compile runs a compiler in a folder of this package.
func compile(t *testing.T, folder string, environment []string, command ...string) {
	t.Helper()
	build := exec.CommandContext(t.Context(), command[0], command[1:]...)
	build.Dir, build.Env = folder, append(os.Environ(), environment...)
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", command, err, output)
	}
}
