package main

import (
	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// newRoot returns the command with its subcommands.
func newRoot(streams terminal.Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "vaultpane",
		Short:         "Key Vault certificates on Windows nodes: move from the VM extension, see what runs, steer it",
		SilenceErrors: true, // printed by main
		SilenceUsage:  true,
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl vaultpane"},
	}
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return usageError("%w; see '%s --help'", err, command.CommandPath())
	})
	flags := cluster.AddFlags(root.PersistentFlags())
	for _, add := range commands {
		root.AddCommand(add(flags, streams))
	}
	return root
}

// commands are the constructors of the subcommands, in the order of the help.
var commands = []func(*cluster.Flags, terminal.Streams) *cobra.Command{
	newConvert,
	newStatus,
	newPoll,
	newWait,
	newSuspend,
	newResume,
	newHistory,
	newPlan,
	newDoctor,
	newCRDs,
	newVersion,
}
