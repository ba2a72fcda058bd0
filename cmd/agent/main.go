// Command vaultpane-agent keeps the certificates of one node up to date: it reads ObservedCertificates, polls Key Vault, and
// installs certificates into the machine's certificate store.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

// version is stamped by the linker.
var version = "dev"

func main() {
	os.Exit(exitCode(run(os.Args[1:], os.Stdout, os.Stderr), os.Stderr))
}

// exitCode prints an error that has not been printed yet to stderr, and returns the exit code.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, errFindings) {
		return exitFailed
	}
	if errors.Is(err, errNothing) {
		return exitNothing
	}
	_, _ = fmt.Fprintln(stderr, "vaultpane-agent:", err)
	var unusable *storeError
	if errors.As(err, &unusable) {
		return exitUnusable
	}
	return exitFailed
}

// run chooses between the agent and its subcommands.
func run(arguments []string, stdout, stderr io.Writer) error {
	if len(arguments) > 0 && arguments[0] == "store" {
		ctrl.SetLogger(logr.Discard()) // else controller-runtime prints a warning after 30 s, in the middle of the output
		return runStore(arguments[1:], stdout, time.Now())
	}
	if len(arguments) == 1 && arguments[0] == "version" {
		arguments = []string{"--version"}
	}
	options, err := parseOptions(arguments, os.LookupEnv, stderr)
	if errors.Is(err, pflag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if options.showVersion {
		_, err := fmt.Fprintln(stdout, "vaultpane-agent", version)
		return err
	}
	unread, err := cli.Unread(variables(), os.Environ())
	if err != nil {
		return err
	}
	writer, finish := options.hostLog.Beside(stdout)
	defer finish()
	options.logging.SetUp(writer)
	if len(unread) > 0 {
		ctrl.Log.Info("Environment variables are named like settings, but are not read", "variables", unread)
	}
	err = runAgent(ctrl.SetupSignalHandler(), options)
	if err != nil {
		ctrl.Log.Error(err, "Agent stopped") // stderr is lost with the pod, the host log is not
	}
	return err
}
