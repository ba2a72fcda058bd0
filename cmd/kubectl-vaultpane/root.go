package main

import (
	"strings"

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
	root.SetUsageTemplate(usage(root.UsageTemplate()))
	flags := cluster.AddFlags(root.PersistentFlags())
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

// usage leaves out the standard flags of kubectl, which would be most of every help, and says where they are listed.
func usage(template string) string {
	const global = "{{if .HasAvailableInheritedFlags}}"
	const local = "{{if .HasAvailableLocalFlags}}"
	template = strings.Replace(template, local, "{{if and .HasParent .HasAvailableLocalFlags}}", 1)
	before, rest, _ := strings.Cut(template, global)
	_, after, _ := strings.Cut(rest, "{{end}}")
	return before + "\n\nThe standard flags of kubectl, such as --context and --kubeconfig, apply: 'kubectl options' lists them." + after
}

// groups are the subcommands, in the order of the help.
var groups = []struct {
	title    string
	commands []func(*cluster.Flags, terminal.Streams) *cobra.Command
}{
	{"Move over:", []func(*cluster.Flags, terminal.Streams) *cobra.Command{newConvert, newPlan, newCRDs}},
	{"See what runs:", []func(*cluster.Flags, terminal.Streams) *cobra.Command{newStatus, newHistory, newDoctor, newVersion}},
	{"Steer it:", []func(*cluster.Flags, terminal.Streams) *cobra.Command{newPoll, newWait, newSuspend, newResume}},
}
