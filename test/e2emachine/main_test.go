package e2emachine

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

var machineFlag = flag.String("machine", "native", "native: this system's agent on the directory store; wine: the Windows agent under Wine")

// env is what the tests share. They run one after another, each on a machine of its own.
var env environment

// environment is a vault, and the program that runs beside the agents.
type environment struct {
	root, dir string
	kind      node.Kind
	vaults    *keyvault.Server
	shop      *keyvault.Vault
	witness   string
}

func TestMain(m *testing.M) {
	flag.Parse()
	err := env.prepare(node.Kind(*machineFlag))
	code := 1
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2emachine: preparing:", err)
	} else {
		code = m.Run()
	}
	if env.vaults != nil {
		_ = env.vaults.Close() // it ends with this process anyway
	}
	_ = os.RemoveAll(env.dir) // a temporary folder
	os.Exit(code)
}

func (e *environment) prepare(kind node.Kind) error {
	e.kind = kind
	var err error
	if e.root, err = filepath.Abs(filepath.Join("..", "..")); err != nil {
		return err
	}
	if e.dir, err = os.MkdirTemp("", "vaultpane-e2emachine-"); err != nil {
		return err
	}
	if e.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(e.dir, "keyvault"), Vaults: []string{"shop"}}); err != nil {
		return err
	}
	e.shop = e.vaults.Vault("shop")
	return e.build()
}

// build builds the program that runs beside the agents, for their system.
func (e *environment) build() error {
	e.witness = filepath.Join(e.dir, "witness")
	build := exec.Command("go", "build", "-o", e.witness, "./test/witness")
	build.Dir, build.Env = e.root, append(os.Environ(), "CGO_ENABLED=0")
	if e.kind == node.Wine {
		e.witness += ".exe"
		build.Args[3], build.Env = e.witness, append(build.Env, "GOOS=windows", "GOARCH=amd64")
	}
	if output, err := build.CombinedOutput(); err != nil {
		return errors.Join(err, errors.New(string(output)))
	}
	return nil
}
