package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// nodeName is the name of the demo's one node.
const nodeName = "akswin000000"

// stage is what the scenes share.
type stage struct {
	dir     string
	cluster *controlplane.ControlPlane
	vaults  *keyvault.Server
	machine *node.Machine
	agent   *node.Process
	// controller is the cluster's.
	controller *node.Process
}

// close ends everything that the stage has started, and removes its folder.
func (s *stage) close() {
	for _, process := range []*node.Process{s.agent, s.controller} {
		if process != nil {
			process.Kill()
		}
	}
	s.machine.Close()
	if s.vaults != nil {
		_ = s.vaults.Close() // it ends with this process anyway
	}
	if s.cluster != nil {
		_ = s.cluster.Stop() // likewise
	}
	_ = os.RemoveAll(s.dir) // a temporary folder
}

func (s *stage) log() string { return filepath.Join(s.dir, "agent.log") }

// plugin runs kubectl vaultpane as the cluster's admin, with 100 columns. Exit code 1 says that something needs attention.
func (s *stage) plugin(ctx context.Context, arguments ...string) (string, error) {
	kubeconfig := filepath.Join(s.dir, "admin.kubeconfig")
	if err := s.cluster.WriteKubeconfig(kubeconfig); err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, filepath.Join(s.machine.Root, "bin", "kubectl-vaultpane"), arguments...)
	command.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "COLUMNS=100")
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() != 1 {
		return "", fmt.Errorf("kubectl vaultpane %s: %s", strings.Join(arguments, " "), strings.TrimSpace(string(output)))
	} else if err != nil && exit == nil {
		return "", err
	}
	return string(output), nil
}

// kubectl runs kubectl as the cluster's admin.
func (s *stage) kubectl(input string, arguments ...string) (string, error) {
	command := s.cluster.Kubectl(arguments...)
	command.Stdin = strings.NewReader(input)
	output, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("kubectl %s: %s", strings.Join(arguments, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return string(output), err
}
