package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/internal/plugin/versions"
)

const versionHelp = `Show the versions of this command, of the controller, of the agents (how many nodes report which) and of the CRDs, and what
does not go together.

The controller's version is that of its image's tag, or of its Deployment's label.

Exit codes: 0 shown, whatever the versions are; 2 the cluster does not answer, or the arguments are wrong.`

const versionExample = `  # all versions
  kubectl vaultpane version

  # that of this command alone, without a cluster
  kubectl vaultpane version --client

  # for a script
  kubectl vaultpane version -o json | jq -r .cluster.controller`

func newVersion(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	var clientOnly bool
	var output string
	command := &cobra.Command{
		Use:     "version [--client]",
		Short:   "Show the versions of this command and of the cluster",
		Long:    versionHelp,
		Example: versionExample,
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := requireOutput(output, formats...); err != nil {
				return err
			}
			all := versions.Versions{Client: versions.Own(version)}
			var unread error
			if !clientOnly {
				unread = readVersions(command, flags, &all)
			}
			if err := printVersions(all, streams, output); err != nil {
				return err
			}
			return unreadable(unread)
		},
	}
	command.Flags().BoolVar(&clientOnly, "client", false, "show the version of this command only, without contacting a cluster")
	addOutput(command, &output)
	return command
}

func readVersions(command *cobra.Command, flags *cluster.Flags, all *versions.Versions) error {
	client, err := flags.Client()
	if err != nil {
		return err
	}
	if all.Cluster, err = versions.Read(command.Context(), client, chosenNamespace(command, flags)); err != nil {
		return cluster.Explain(err, "get", cluster.Nodes)
	}
	all.Warnings = versions.Skew(version, all.Cluster)
	return nil
}

func printVersions(all versions.Versions, streams terminal.Streams, output string) error {
	if output != "" {
		return printStructured(streams, output, all)
	}
	_, err := io.WriteString(streams.Out, all.Text(streams.Style()))
	return err
}
