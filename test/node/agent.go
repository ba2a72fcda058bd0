// Package node runs the agent as a process of its own, as a node does: on this system over the directory store, or the
// Windows executable under Wine over Wine's certificate store. The demo, the end-to-end tests and the bench share it.
package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Kind is where an agent runs.
type Kind string

// Kinds.
const (
	// Native is the agent of this system.
	Native Kind = "native"
	// Wine is the Windows executable under Wine.
	Wine Kind = "wine"
)

// Machine is a node's machine: its store, and the agent's executable.
type Machine struct {
	// Kind is where the agent runs.
	Kind Kind
	// Root is the repository, where `make build` has put the executables.
	Root string
	// Dir holds the store: a folder of files, or a Wine prefix.
	Dir string
	// Bin is the folder of the executables in Root; empty for bin. Those for Windows are in its folder windows.
	Bin string
}

// NewMachine prepares a machine with an empty store in dir.
func NewMachine(ctx context.Context, kind Kind, root, dir string) (*Machine, error) {
	machine := &Machine{Kind: kind, Root: root, Dir: dir}
	if kind == Wine {
		prepare := exec.CommandContext(ctx, filepath.Join(root, "hack", "wine.sh"), "--prepare", dir)
		if output, err := prepare.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("preparing a Wine prefix: %w\n%s", err, output)
		}
	}
	return machine, nil
}

// Close ends the other processes of the machine, which makes Wine write the registry to its files.
func (m *Machine) Close() {
	if m.Kind == Wine {
		_ = exec.Command(filepath.Join(m.Root, "hack", "wine.sh"), "--stop", m.Dir).Run() // nothing may be left to end
	}
}

// Path returns a file's path as the agent of this machine writes it: Wine shows the root folder as drive Z.
func (m *Machine) Path(path string) string {
	if m.Kind != Wine {
		return path
	}
	return `Z:` + strings.ReplaceAll(path, "/", `\`)
}

// StorePath is the folder of the directory store.
func (m *Machine) StorePath() string { return filepath.Join(m.Dir, "store") }

// agentProgram is the agent's name in bin.
const agentProgram = "vaultpane-agent"

// Run runs another program from the bin folder, and returns its output, also when it failed.
func (m *Machine) Run(ctx context.Context, program string, environment []string, arguments ...string) (string, error) {
	return m.RunProgram(ctx, m.Executable(program), environment, arguments...)
}

// RunProgram is Run for any program of this machine's kind, by its executable.
func (m *Machine) RunProgram(ctx context.Context, executable string, environment []string, arguments ...string) (string, error) {
	output, err := outputOf(m.on(ctx, executable, environment, arguments...))
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("running %s: %w: %s", filepath.Base(executable), err, strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(output)), err
}

// Executable is the path of a program in the bin folder.
func (m *Machine) Executable(program string) string {
	bin := filepath.Join(m.Root, cmp.Or(m.Bin, "bin"))
	if m.Kind == Wine {
		return filepath.Join(bin, "windows", program+".exe")
	}
	return filepath.Join(bin, program)
}

func (m *Machine) command(ctx context.Context, program string, environment []string, arguments ...string) *exec.Cmd {
	return m.on(ctx, m.Executable(program), environment, arguments...)
}

// on is a command on this machine.
func (m *Machine) on(ctx context.Context, executable string, environment []string, arguments ...string) *exec.Cmd {
	environment = slices.Clone(environment) // the caller's may have room for more
	if m.Kind == Wine {
		arguments = append([]string{executable}, arguments...)
		executable = filepath.Join(m.Root, "hack", "wine.sh")
		environment = append(environment, "WINEPREFIX="+m.Dir)
	} else {
		environment = append(environment, "VAULTPANE_STORE_PATH="+m.StorePath())
	}
	command := exec.CommandContext(ctx, executable, arguments...)
	command.Env = append(os.Environ(), environment...)
	command.WaitDelay = 2 * time.Second // the first program under Wine starts services, which hold its pipes
	return command
}

// outputOf runs a command and returns its output. That another process holds the pipes after its end is no error.
func outputOf(command *exec.Cmd) ([]byte, error) {
	output, err := command.Output()
	return output, unlessHeld(err)
}

// unlessHeld is nil for a command that has succeeded, but whose pipes another process holds.
func unlessHeld(err error) error {
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil
	}
	return err
}

// Start starts the agent; what it logs is appended to logFile. Settings are given by environment, as on a real node.
func (m *Machine) Start(logFile string, environment []string, arguments ...string) (*Process, error) {
	return StartProcess(m.command(context.Background(), agentProgram, environment, arguments...), logFile)
}

// StartProgram starts any program of this machine's kind by its executable; what it prints is appended to logFile.
func (m *Machine) StartProgram(executable, logFile string, environment []string, arguments ...string) (*Process, error) {
	return StartProcess(m.on(context.Background(), executable, environment, arguments...), logFile)
}

// AgentSettings are those of an agent of a cluster that a test starts: the token of its node, and MachineSettings.
func (m *Machine) AgentSettings(node, kubeconfig, caFile string) []string {
	return append(m.MachineSettings(node, caFile), "VAULTPANE_KUBECONFIG="+m.Path(kubeconfig))
}

// MachineSettings are those of any agent that a test starts: its machine's name, the vaults of a server of test/keyvault with its
// CA's file, and no ports. The identity's variables are the caller's to add; of two with one name the last holds.
func (m *Machine) MachineSettings(name, caFile string) []string {
	return []string{
		"VAULTPANE_NODE_NAME=" + name, "VAULTPANE_CA_BUNDLE=" + m.Path(caFile), "VAULTPANE_ALLOWED_VAULT_HOSTS=localhost",
		"VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION=true",
		"VAULTPANE_METRICS_BIND_ADDRESS=0", "VAULTPANE_HEALTH_PROBE_BIND_ADDRESS=0",
	}
}

// StartController starts the cluster's controller from the bin folder of the repository at root; what it logs is appended to
// logFile.
func StartController(root, logFile string, environment []string) (*Process, error) {
	command := exec.Command(filepath.Join(root, "bin", "vaultpane-controller"))
	command.Env = append(os.Environ(), environment...)
	return StartProcess(command, logFile)
}

// Certificate is one certificate of the machine, as `vaultpane-agent store list --json` prints it.
type Certificate struct {
	Store, Thumbprint, Subject, Key, Owner, Version, Access, Successor string
	Intermediate                                                       bool
	NotAfter                                                           time.Time
}

// List returns what the machine's store holds, as the agent's own tool sees it from another process.
func (m *Machine) List(ctx context.Context) ([]Certificate, error) {
	arguments := []string{"store", "list", "--json"}
	if m.Kind == Native {
		arguments = append(arguments, "--store-path", m.StorePath())
	}
	command := m.command(ctx, agentProgram, nil, arguments...)
	output, err := outputOf(command)
	if err != nil {
		return nil, fmt.Errorf("listing the store: %w", err)
	}
	var certificates []Certificate
	if err := json.Unmarshal(output, &certificates); err != nil {
		return nil, fmt.Errorf("reading the store's list: %w", err)
	}
	return certificates, nil
}

// Table returns what the machine's store holds, as a person sees it.
func (m *Machine) Table(ctx context.Context) (string, error) {
	arguments := []string{"store", "list"}
	if m.Kind == Native {
		arguments = append(arguments, "--store-path", m.StorePath())
	}
	output, err := outputOf(m.command(ctx, agentProgram, nil, arguments...))
	if err != nil {
		return "", fmt.Errorf("listing the store: %w", err)
	}
	return string(output), nil
}
