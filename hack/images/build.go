package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// fileName is the name of a platform's file: vaultpane-agent-linux-arm64.
func (p product) fileName(platform v1.Platform) string {
	name := p.name + "-" + platform.OS + "-" + platform.Architecture
	if platform.OS == "windows" {
		return name + ".exe"
	}
	return name
}

// compile builds a platform's executable from the repository at root: static, stripped, without the folders of this machine,
// and without what git knows, which a worktree, a clone without tags and an archive of the same commit know differently.
func (p product) compile(ctx context.Context, root, folder string, platform v1.Platform, version string) (string, error) {
	path, err := filepath.Abs(filepath.Join(folder, p.fileName(platform)))
	if err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version, "-o", path, p.command)
	command.Dir = root
	// What decides about the code is set here, whatever the environment and `go env -w` say: to the latter an empty variable
	// is one that is not set. No experiment is on that is not of Go itself. The newest lowest common platform of both.
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off", "GOEXPERIMENT=nofieldtrack", "GOFIPS140=off",
		"GOOS="+platform.OS, "GOARCH="+platform.Architecture, "GOAMD64=v1", "GOARM64=v8.0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s for %s: %w: %s", p.command, platform, err, output)
	}
	return path, nil
}
