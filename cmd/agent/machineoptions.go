package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vaultpane/vaultpane/cmd/internal/azure"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

const runUsage = `Keeps the certificates of one machine up to date with Azure Key Vault, without a cluster: on a virtual machine, on a server, or
in a container. Settings files say which. A file has the settings of the Key Vault VM extension for Windows in any of their forms
(JSON), or ObservedCertificates (YAML or JSON, several documents a file). Of a folder, the files *.json, *.yaml, *.yml and
*.settings are read. Changes of the files are followed. A file that is wrong changes nothing: what it had before stays in use.

Usage:
  vaultpane-agent run --settings PATH... [flags]

'vaultpane-agent status' shows what the machine has, and 'vaultpane-agent poll' asks for a poll.

` + azureUsage + `
Flags, each with its environment variable (the flag wins):
`

// machineCommand describes a command that keeps certificates without a cluster. more adds its own flags. Arguments that are not flags
// are settings too.
func (o *options) machineCommand(name, usage string, lookup cli.Lookup, more func(*pflag.FlagSet)) cli.Command {
	return cli.Command{Name: "vaultpane-agent " + name, Usage: usage, Arguments: &o.paths, Add: func(flags *pflag.FlagSet) {
		flags.StringArrayVar(&o.Settings, "settings", nil, "files and folders of settings")
		o.addStateTo(flags)
		more(flags)
		flags.StringToStringVar(&o.NodeLabels, "node-labels", nil, "labels of this machine that node selectors are matched with, as in pool=web,zone=1; without it, a certificate with a nodeSelector is refused")
		flags.StringVar(&o.Node, "node-name", defaultNode(lookup), "name of this machine, by which its polls are spread; the host's name by default")
		o.Store.AddTo(flags)
		o.addEngineTo(flags, time.Second)
		o.Azure.AddTo(flags)
		o.addServersTo(flags, noAddress, noAddress)
		o.logging.AddTo(flags)
		o.hostLog.AddTo(flags, o.hostLog.Folder)
	}}
}

// noAddress is the address of an HTTP server that is off.
const noAddress = "0"

// addStateTo adds the flag of the state's folder, which the agent, status and poll share.
func (o *options) addStateTo(flags *pflag.FlagSet) {
	flags.StringVar(&o.State, "state", dataFolder(), "folder of the state's file, state.yaml")
}

// dataFolder is the folder of the agent's own files.
func dataFolder() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(programData(), "Vaultpane")
	}
	return "/var/lib/vaultpane"
}

// machineLogFolder is the default of --host-log-dir: a service of Windows has no stdout.
func machineLogFolder() string {
	if runtime.GOOS == "windows" {
		return filepath.Join(dataFolder(), "logs")
	}
	return cli.NoHostLog
}

// parseMachine reads the flags of run and exec and, for those not given, their environment variables.
func (o *options) parseMachine(command cli.Command, arguments []string, lookup cli.Lookup, help io.Writer) error {
	o.Version = version
	if showVersion, err := command.Read(arguments, lookup, help); err != nil || showVersion {
		if showVersion && err == nil {
			_, _ = fmt.Fprintln(help, "vaultpane-agent", version)
			return pflag.ErrHelp
		}
		return err
	}
	o.Settings = append(o.Settings, o.paths...)
	o.Azure.Tidy()
	o.Node = strings.ToLower(o.Node)
	if err := o.validate(); err != nil {
		return err
	}
	if err := o.validateMachine(); err != nil {
		return err
	}
	return azure.CheckIdentity(o.Azure.Credential, lookup)
}

func (o *options) validateMachine() error {
	switch {
	case len(o.Settings) == 0:
		return errors.New("--settings is missing, must be a file or a folder of settings; --help explains them")
	case o.State == "":
		return errors.New("--state is empty, must be the folder of the state's file")
	case o.Node == "":
		return errors.New("--node-name is empty, must be a name for this machine, such as its host name")
	}
	for i, path := range o.Settings {
		absolute, err := filepath.Abs(path) // a service has another working folder
		if path == "" || err != nil {
			return fmt.Errorf("--settings has %q, must be a file or a folder", path)
		}
		o.Settings[i] = absolute
		if state, err := filepath.Abs(o.State); err == nil && state == absolute {
			return fmt.Errorf("--settings has %q, which is also --state: the state would be read as settings; use a folder of its own, such as %s", path, filepath.Join(path, "settings"))
		}
	}
	for key, value := range o.NodeLabels {
		if problems := append(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)...); len(problems) > 0 {
			return fmt.Errorf("--node-labels has %s=%s, which is not a label: %s", key, value, strings.Join(problems, "; "))
		}
	}
	return nil
}
