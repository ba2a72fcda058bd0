package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/childprocess"
)

const execUsage = `Installs certificates, starts a program, and keeps the certificates up to date beside it until it ends: for containers, as their
entrypoint. The program starts when the certificates that set requireInitialSync are installed, or all where none does. It gets
the signals that this process gets, its exit code is passed on, and it ends when this process is killed. Logs go to stderr.

Usage:
  vaultpane-agent exec --settings PATH... [flags] -- PROGRAM [ARGUMENT...]

Exit codes:
  the program's own, 128 and the signal's number where a signal ended it
  124  the certificates were not installed within --wait; the program was not started
  125  the settings or the command line are wrong
  126  the program cannot be executed
  127  the program was not found

` + azureUsage + `
Flags, each with its environment variable (the flag wins):
`

// Exit codes of exec, as execUsage lists them. Those of a program that does not run are childprocess'.
const (
	exitNotInstalled = 124
	exitWrong        = 125
)

// execOptions are the options of exec.
type execOptions struct {
	options
	wait        time.Duration
	startAnyway bool
	program     []string
}

func (e *execOptions) command() cli.Command {
	e.hostLog.Folder = cli.NoHostLog
	return e.machineCommand("exec", execUsage, os.LookupEnv, func(flags *pflag.FlagSet) {
		flags.DurationVar(&e.wait, "wait", 2*time.Minute, "time to wait for the certificates before the program is started")
		flags.BoolVar(&e.startAnyway, "start-anyway", false, "start the program, with a warning, when the certificates are not installed within --wait")
	})
}

// runExec installs certificates and runs a program beside the agent.
func runExec(arguments []string, _, stderr io.Writer) error {
	var e execOptions
	if i := slices.Index(arguments, "--"); i >= 0 {
		arguments, e.program = arguments[:i], arguments[i+1:]
	}
	err := e.parseMachine(e.command(), arguments, os.LookupEnv, stderr)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		return err
	case err == nil && len(e.program) == 0:
		err = errors.New("there is no program to start: write it after --, as in 'vaultpane-agent exec --settings PATH -- PROGRAM'")
	case err == nil && e.wait < 0:
		err = fmt.Errorf("--wait is %s, must not be negative", e.wait)
	}
	if err == nil {
		err = logged(e.options, stderr, new(execOptions).command().Variables(), e.run)
	}
	var status cli.ExitStatus
	if err != nil && !errors.As(err, &status) {
		return &cli.Failure{Code: exitWrong, Err: err}
	}
	return err
}

// run runs the agent, and the program when the certificates are there.
func (e *execOptions) run(ctx context.Context, log logr.Logger) error {
	signals, unsubscribe := childprocess.Signals()
	defer unsubscribe()
	m, err := newMachine(e.options, log, nil)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var failed error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		failed = m.run(ctx)
	}()
	defer func() {
		stop()
		<-ended
	}()
	if err := e.await(ctx, m, signals, ended); err != nil {
		return err
	}
	select {
	case <-ended:
		return failed
	default:
	}
	log.Info("Starting the program", "program", e.program[0])
	code, err := childprocess.Run(ctx, e.program, signals)
	switch {
	case errors.Is(err, childprocess.ErrNotFound):
		log.Error(err, "The program was not found")
		return cli.ExitStatus(childprocess.ExitNotFound)
	case err != nil:
		log.Error(err, "The program cannot be executed")
		return cli.ExitStatus(childprocess.ExitNotExecutable)
	}
	log.Info("The program has ended", "exitCode", code)
	return cli.ExitStatus(code)
}

// endings are the signals that end this process while it waits. Others are for the program, which does not run yet.
var endings = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP}

// await waits until the certificates are there, or the agent has ended.
func (e *execOptions) await(ctx context.Context, m *machine, signals <-chan os.Signal, ended <-chan struct{}) error {
	deadline, ticker := time.After(e.wait), time.NewTicker(50*time.Millisecond)
	defer ticker.Stop()
	for {
		reasons := m.waiting(ctx)
		if len(reasons) == 0 {
			return nil
		}
		select {
		case <-ticker.C:
		case <-ended:
			return nil
		case received := <-signals:
			if number, ok := received.(syscall.Signal); ok && slices.Contains(endings, number) {
				return cli.ExitStatus(128 + int(number))
			}
		case <-deadline:
			return e.late(m, strings.Join(reasons, "; "))
		}
	}
}

// late says why the certificates are not there, and returns an error unless the program is to start all the same.
func (e *execOptions) late(m *machine, why string) error {
	if e.startAnyway {
		m.log.Info("Starting the program without its certificates, as --start-anyway says", "waited", e.wait.String(), "why", why)
		return nil
	}
	m.log.Error(nil, "The certificates are not installed, so the program is not started; --wait waits longer, --start-anyway starts it all the same",
		"waited", e.wait.String(), "why", why)
	return cli.ExitStatus(exitNotInstalled)
}
