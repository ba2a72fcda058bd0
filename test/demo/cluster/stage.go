package main

import (
	"context"
	"os"
	"path/filepath"

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
	// first is the thumbprint of web before it is renewed.
	first string
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

// plugin runs kubectl vaultpane as the cluster's admin.
func (s *stage) plugin(ctx context.Context, arguments ...string) (string, error) {
	return s.cluster.RunPlugin(ctx, filepath.Join(s.machine.Root, "bin"), s.dir, nil, arguments...)
}

// kubectl runs kubectl as the cluster's admin.
func (s *stage) kubectl(input string, arguments ...string) (string, error) {
	return s.cluster.RunKubectl(input, arguments...)
}
