package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// noArguments refuses arguments of a command that takes only flags.
func noArguments(command *cobra.Command, arguments []string) error {
	if len(arguments) > 0 {
		return usageError("unexpected argument %q; see '%s --help'", arguments[0], command.CommandPath())
	}
	return nil
}

// formats are the outputs for programs.
var formats = []string{"json", "yaml"}

// addOutput adds --output, for programs.
func addOutput(command *cobra.Command, value *string) {
	command.Flags().StringVarP(value, "output", "o", "", "print for programs: json or yaml")
	completeWords(command, "output", formats...)
}

// printStructured prints a value in one of formats.
func printStructured(streams terminal.Streams, output string, value any) error {
	text, err := structured(output, value)
	if err != nil {
		return err
	}
	_, err = io.WriteString(streams.Out, text)
	return err
}

// chosenNamespace returns the namespace of --namespace; empty if it is not given. The namespace of the kubeconfig's context is mostly
// that of the user's programs, and not that of Vaultpane.
func chosenNamespace(command *cobra.Command, flags *cluster.Flags) string {
	if flag := command.Flags().Lookup("namespace"); flag == nil || !flag.Changed {
		return ""
	}
	name, _, err := flags.Namespace()
	if err != nil {
		return ""
	}
	return name
}
