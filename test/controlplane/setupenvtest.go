package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// setupEnvtest returns the binaries of the pinned setup-envtest, which downloads them when they are not on disk.
func setupEnvtest(ctx context.Context) (Assets, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	root, err := checkout()
	if err != nil {
		return Assets{}, err
	}
	modfile := filepath.Join("hack", "tools", "go.mod")
	out, err := goCommand(ctx, root, "readonly",
		"tool", "-modfile="+modfile, "setup-envtest", "use", envtestSelector(kubernetesVersion()), "-p", "path")
	if err != nil {
		return Assets{}, err
	}
	assets := Assets{Dir: strings.TrimSpace(string(out)), Source: "setup-envtest"}
	return assets, assets.check(apiServerBinaries)
}

// checkout is the folder of this repository that holds the working directory.
func checkout() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("finding the checkout: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "hack", "tools", "go.mod")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the working directory is in no checkout with hack/tools")
		}
		dir = parent
	}
}
