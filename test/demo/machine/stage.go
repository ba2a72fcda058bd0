package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// stage is what the scenes share.
type stage struct {
	dir     string
	vaults  *keyvault.Server
	machine *node.Machine
	agent   *node.Process
}

// close ends everything that the stage has started, and removes its folder.
func (s *stage) close() {
	if s.agent != nil {
		s.agent.Kill()
	}
	s.machine.Close()
	if s.vaults != nil {
		_ = s.vaults.Close() // it ends with this process anyway
	}
	_ = os.RemoveAll(s.dir) // a temporary folder
}

func (s *stage) log() string { return filepath.Join(s.dir, "agent.log") }

// write writes the settings in one step, as editors and tools of configuration management do.
func (s *stage) write(settings string) error {
	if err := os.WriteFile(s.file()+".new", []byte(settings), 0o600); err != nil {
		return err
	}
	return os.Rename(s.file()+".new", s.file())
}

// environment is the agent's. Intervals are short, so that the act is.
func (s *stage) environment() []string {
	return slices.Concat(s.vaults.Env(), s.stateFolder(), []string{
		"VAULTPANE_CA_BUNDLE=" + s.machine.Path(s.vaults.CAFile()), "VAULTPANE_ALLOWED_VAULT_HOSTS=localhost",
		"VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION=true", "VAULTPANE_STORE_CHECK_INTERVAL=1s",
		"VAULTPANE_LOG_FORMAT=text", "VAULTPANE_HOST_LOG_DIR=0",
	})
}

func (s *stage) stateFolder() []string {
	return []string{"VAULTPANE_STATE=" + s.machine.Path(filepath.Join(s.dir, "state"))}
}

// command runs another command of the agent beside it, and returns what it prints, also where its exit code is not 0.
func (s *stage) command(ctx context.Context, arguments ...string) (string, error) {
	return s.machine.Run(ctx, "vaultpane-agent", s.stateFolder(), arguments...)
}

// ignoreExit ignores that a command has another exit code than 0: status has, while something is not well.
func ignoreExit(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil
	}
	return err
}
