package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/pflag"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/machinelock"
	"github.com/vaultpane/vaultpane/internal/nodestate"
	"github.com/vaultpane/vaultpane/internal/standalone"
)

const statusUsage = `Shows the certificates that an agent without a cluster ('vaultpane-agent run' or 'exec') keeps on this machine.

Usage:
  vaultpane-agent status [-o wide|json|yaml] [--watch]

Exit codes:
  0  every certificate is as its settings say
  1  something is not: a certificate, or a settings file
  2  no agent runs here, or its state cannot be read

Flags:
`

// Exit codes of status and poll, as statusUsage lists them.
const (
	exitNotWell = 1
	exitNoAgent = 2
)

// statusOptions are the flags of status.
type statusOptions struct {
	options
	output string
	watch  bool
}

// runStatus prints the state, once or at each change. Its error is a cli.ExitStatus.
func runStatus(arguments []string, stdout, stderr io.Writer) error {
	var s statusOptions
	command := s.stateCommand("status", statusUsage, nil, func(flags *pflag.FlagSet) {
		flags.StringVarP(&s.output, "output", "o", "", "wide, json or yaml")
		flags.BoolVarP(&s.watch, "watch", "w", false, "print it again at each change, until interrupted")
	})
	if _, err := command.Read(arguments, os.LookupEnv, stdout); err != nil {
		return unusable(err)
	}
	if printers[s.output] == nil {
		return unusable(fmt.Errorf("--output is %q, must be wide, json or yaml", s.output))
	}
	shown := ""
	for {
		seen, err := s.look()
		if err != nil {
			return unusable(err)
		}
		text, err := printers[s.output](seen)
		if err != nil {
			return err
		}
		if text != shown {
			if _, err := io.WriteString(stdout, text); err != nil {
				return err
			}
			shown = text
		}
		if !s.watch {
			return seen.verdict(s.output == "json" || s.output == "yaml", stderr)
		}
		<-time.After(500 * time.Millisecond)
	}
}

// unusable ends status and poll where there is nothing to show.
func unusable(err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	return &cli.Failure{Code: exitNoAgent, Err: err}
}

// stateCommand describes a command that reads the state of an agent without a cluster.
func (o *options) stateCommand(name, usage string, arguments *[]string, more func(*pflag.FlagSet)) cli.Command {
	return cli.Command{Name: "vaultpane-agent " + name, Usage: usage, Arguments: arguments, Add: func(flags *pflag.FlagSet) {
		more(flags)
		o.addStateTo(flags)
		o.Store.AddTo(flags)
	}}
}

// seen is what there is of an agent without a cluster.
type seen struct {
	state *v1alpha1.NodeCertificateState
	runs  bool // an agent does
}

// look reads the state, and finds out whether an agent runs.
func (o *options) look() (seen, error) {
	state, err := standalone.ReadState(o.State)
	if err != nil {
		return seen{}, err
	}
	runs, err := machinelock.Held(o.Store.Path)
	switch {
	case err != nil:
		return seen{}, err
	case state == nil && runs:
		return seen{}, fmt.Errorf("an agent uses this machine's store, but it has written no state into %s: it is the agent of a cluster ('kubectl get nodecert' shows its state), or --state names another folder than the agent's", o.State)
	case state == nil:
		return seen{}, fmt.Errorf("no agent runs here, and none has left a state in %s: start it with 'vaultpane-agent run --settings PATH', or name its folder with --state", o.State)
	}
	return seen{state, runs}, nil
}

// verdict says by the exit code whether all is well, and on stderr that no agent runs, where the output has the state alone.
func (s seen) verdict(alone bool, stderr io.Writer) error {
	if !s.runs && alone {
		_, _ = fmt.Fprintln(stderr, s.noAgent())
	}
	if !s.runs {
		return cli.ExitStatus(exitNoAgent)
	}
	failing := nodestate.Summarize(s.state.Certificates).Failing > 0
	if failing || len(standalone.Unprocessed(s.state)) > 0 || len(standalone.SettingsProblems(s.state)) > 0 || s.silent() {
		return cli.ExitStatus(exitNotWell)
	}
	return nil
}

func (s seen) noAgent() string {
	return "no agent runs here; this is what it wrote last, " + renewed(s.state)
}

// silent reports whether the agent runs and has not written its state for a while.
func (s seen) silent() bool {
	return time.Since(standalone.RenewedAt(s.state)) > 3*standalone.RenewInterval
}

func renewed(state *v1alpha1.NodeCertificateState) string {
	if at := standalone.RenewedAt(state); !at.IsZero() {
		return "at " + at.Format(time.RFC3339)
	}
	return "at an unknown time"
}

// printers are the forms of --output.
var printers = map[string]func(seen) (string, error){
	"":     func(s seen) (string, error) { return table(s, false), nil },
	"wide": func(s seen) (string, error) { return table(s, true), nil },
	"json": func(s seen) (string, error) {
		text, err := json.MarshalIndent(s.state, "", "  ")
		return string(text) + "\n", err
	},
	"yaml": func(s seen) (string, error) {
		text, err := yaml.Marshal(s.state)
		return string(text), err
	},
}
