package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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
	standard := pflag.NewFlagSet("kubectl", pflag.ContinueOnError)
	flags := cluster.AddFlags(standard)
	root.PersistentFlags().AddFlagSet(standard)
	root.SetUsageFunc(usageWithout(standard))
	cobra.EnableCommandSorting = false
	for _, group := range groups {
		root.AddGroup(&cobra.Group{ID: group.title, Title: group.title})
		for _, add := range group.commands {
			command := add(flags, streams)
			command.GroupID = group.title
			root.AddCommand(command)
		}
	}
	return root
}

// run executes the command with arguments. A subcommand that does not exist is a wrong call, for which cobra's error has no type.
func run(ctx context.Context, root *cobra.Command, arguments []string) error {
	root.SetArgs(arguments)
	err := root.ExecuteContext(ctx)
	if _, _, unknown := root.Find(arguments); err != nil && unknown != nil {
		return usageError("%s", strings.TrimSpace(unknown.Error()))
	}
	return err
}

// usageWithout returns how commands print their usage: without the standard flags of kubectl, which would be most of every help. It
// says where they are listed. A template of cobra would do the same, and make the program 7 MB larger: text/template calls methods by
// name, so the linker would keep every exported method.
func usageWithout(standard *pflag.FlagSet) func(*cobra.Command) error {
	usage := new(cobra.Command).UsageFunc() // cobra's own
	return func(command *cobra.Command) error {
		standard.VisitAll(func(flag *pflag.Flag) { flag.Hidden = true })
		err := usage(command)
		standard.VisitAll(func(flag *pflag.Flag) { flag.Hidden = false }) // completed all the same
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(command.OutOrStderr(), "\nThe standard flags of kubectl, such as --context and --kubeconfig, apply: 'kubectl options' lists them.")
		return err
	}
}

// groups are the subcommands, in the order of the help.
var groups = []struct {
	title    string
	commands []func(*cluster.Flags, terminal.Streams) *cobra.Command
}{
	{"Move over:", []func(*cluster.Flags, terminal.Streams) *cobra.Command{newConvert, newPlan, newCRDs}},
	{"See what runs:", []func(*cluster.Flags, terminal.Streams) *cobra.Command{newStatus, newHistory, newDoctor, newVersion}},
	{"Steer it:", []func(*cluster.Flags, terminal.Streams) *cobra.Command{newPoll, newWait, newPromote, newSuspend, newResume}},
}
