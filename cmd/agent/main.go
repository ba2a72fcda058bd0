// Command vaultpane-agent keeps the certificates of one node or machine up to date: it reads ObservedCertificates, polls Key Vault,
// and installs certificates into the machine's certificate store.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/cmd/agent/internal/storecommand"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

// version is stamped by the linker.
var version = "dev"

func main() {
	os.Exit(cli.ExitCode(programName(os.Args[1:]), run(os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// programName is what errors begin with: the program, and its command where there is one.
func programName(arguments []string) string {
	if len(arguments) > 0 && commands[arguments[0]] != nil {
		return "vaultpane-agent " + arguments[0]
	}
	return "vaultpane-agent"
}

// run chooses between the agent of a node and the other commands.
func run(arguments []string, stdout, stderr io.Writer) error {
	if len(arguments) == 1 && arguments[0] == "version" {
		arguments = []string{"--version"}
	}
	if len(arguments) > 0 {
		if command := commands[arguments[0]]; command != nil {
			setLibraryLogger(logr.Discard())
			return ignoreHelp(command(arguments[1:], stdout, stderr))
		}
	}
	options, err := parseOptions(arguments, os.LookupEnv, stderr)
	if err != nil {
		return ignoreHelp(err)
	}
	if options.showVersion {
		_, err := fmt.Fprintln(stdout, "vaultpane-agent", version)
		return err
	}
	return logged(options, stdout, variables(), untilSignal(func(ctx context.Context, _ logr.Logger) error { return runAgent(ctx, options) }))
}

// commands are those that the first argument names.
var commands = map[string]func(arguments []string, stdout, stderr io.Writer) error{
	"store": func(arguments []string, stdout, _ io.Writer) error {
		return storecommand.Run(arguments, stdout, time.Now())
	},
	"run":     runMachine,
	"exec":    runExec,
	"service": runService,
	"status":  runStatus,
	"poll":    runPoll,
}

// ignoreHelp returns nil where the help was asked for and printed.
func ignoreHelp(err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return nil
	}
	return err
}

// work is what a process does until its context ends.
type work func(context.Context, logr.Logger) error

// untilSignal ends the work's context when the process is asked to end. A second signal ends the process at once.
func untilSignal(do work) work {
	return func(ctx context.Context, log logr.Logger) error {
		ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		context.AfterFunc(ctx, stop)
		return do(ctx, log)
	}
}

// logged does the work of a process that logs. known are the environment variables that its settings read.
func logged(o options, stdout io.Writer, known []string, do work) error {
	unread, err := cli.Unread(known, os.Environ())
	if err != nil {
		o.failService(err)
		return err
	}
	log, finish := o.hostLog.Start(o.logging, stdout)
	defer finish()
	setLibraryLogger(log)
	if len(unread) > 0 {
		log.Info("Environment variables are named like settings, but are not read", "variables", unread)
	}
	err = do(logr.NewContext(context.Background(), log), log)
	var status cli.ExitStatus
	if err != nil && !errors.As(err, &status) {
		log.Error(err, "Agent stopped") // stderr is lost with the pod, the host log is not
	}
	return err
}
