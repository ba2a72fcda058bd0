package scene

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vaultpane/vaultpane/test/node"
)

// NewMachine prepares the machine of an act, with an empty store, in a temporary folder that is the act's to remove. store is default
// for this system's agent, or wine for the Windows agent on Wine's LocalMachine store. The working folder is the repository.
func NewMachine(ctx context.Context, store string) (machine *node.Machine, dir string, err error) {
	kind := map[string]node.Kind{"default": node.Native, "wine": node.Wine}[store]
	if kind == "" {
		return nil, "", errors.New("--store is default or wine")
	}
	root, err := os.Getwd()
	if err != nil {
		return nil, "", fmt.Errorf("finding the repository: %w", err)
	}
	if dir, err = os.MkdirTemp("", "vaultpane-demo-"); err != nil {
		return nil, "", fmt.Errorf("making a folder: %w", err)
	}
	if machine, err = node.NewMachine(ctx, kind, root, filepath.Join(dir, "machine")); err != nil {
		return nil, "", errors.Join(err, os.RemoveAll(dir))
	}
	return machine, dir, nil
}
