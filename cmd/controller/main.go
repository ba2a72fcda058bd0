// Command vaultpane-controller rolls up the nodes' reports into the status of each ObservedCertificate, and removes the startup
// taint from nodes whose first certificates are installed. It can also watch the versions of the certificates in their vaults.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

// version is stamped by the linker.
var version = "dev"

func main() {
	if err := run(os.Args[1:], os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "vaultpane-controller:", err)
		os.Exit(1)
	}
}

// run chooses between the controller and a subcommand.
func run(arguments []string, stdout, stderr io.Writer) error {
	act := runManager
	subcommands := map[string]func(context.Context, options) error{"remove-startup-taint": removeStartupTaint, "apply-crds": runApplyCRDs}
	if len(arguments) > 0 && subcommands[arguments[0]] != nil {
		act, arguments = subcommands[arguments[0]], arguments[1:]
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
		_, err := fmt.Fprintln(stdout, "vaultpane-controller", version)
		return err
	}
	unread, err := cli.Unread(variables(), os.Environ())
	if err != nil {
		return err
	}
	ctrl.SetLogger(options.logging.Logger(stdout))
	if len(unread) > 0 {
		ctrl.Log.Info("Environment variables are named like settings, but are not read", "variables", unread)
	}
	return act(ctrl.SetupSignalHandler(), options)
}
