package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/doctor"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	node, bundle, output string
}

const doctorHelp = `Look for what usually goes wrong with Vaultpane in a cluster, and say what to do about it.

It looks from outside, and changes nothing: the CRDs, agents and their versions, pods, Leases, the controller, admission policies,
Pod Security, the Azure identity's configuration, nodes with the startup taint, names of vaults, certificates that no node gets,
failing polls, expiries, clocks and events. A finding has one of four levels:

  ok       the check found nothing wrong
  note     worth knowing, nothing has to be done
  warning  it works now and may not later, or it could not be checked
  problem  something does not work

What the account may not read is a warning, and the other checks are made. docs/kubectl.md has the role that doctor needs.

With --bundle, it collects what a bug report needs in a file instead: Vaultpane's objects, nodes, pods, events, logs, ConfigMaps
and the findings. Secrets are never read; values of variables and lines of logs that look like a secret are removed. The output
lists what is in the file: read it before you send it.

Exit codes: 0 no problem (there may be warnings), 1 at least one problem, 2 the cluster cannot be read or the arguments are wrong.
With --bundle, 0 when the file was written, whatever the findings in it are.`

const doctorExample = `  # what is wrong in the cluster?
  kubectl vaultpane doctor

  # and on one node?
  kubectl vaultpane doctor --node akswin000000

  # only problems, for a script
  kubectl vaultpane doctor -o json | jq '.findings[] | select(.level == "problem")'

  # collect what a bug report needs
  kubectl vaultpane doctor --bundle vaultpane.tar.gz`

func newDoctor(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	var options doctorOptions
	command := &cobra.Command{
		Use:     "doctor [--node NODE | --bundle FILE]",
		Short:   "Find what is wrong with Vaultpane in a cluster, and what to do",
		Long:    doctorHelp,
		Example: doctorExample,
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return runDoctor(command, flags, streams, options)
		},
	}
	command.Flags().StringVar(&options.node, "node", "", "look at this node only, and at the certificates that select it")
	command.Flags().StringVar(&options.bundle, "bundle", "", "write what a bug report needs to this file, a .tar.gz")
	addOutput(command, &options.output)
	completeFlag(command, "node", flags, cluster.Nodes)
	return command
}

func runDoctor(command *cobra.Command, flags *cluster.Flags, streams terminal.Streams, options doctorOptions) error {
	if err := requireOutput(options.output, formats...); err != nil {
		return err
	}
	if options.node != "" && options.bundle != "" {
		return usageError("give --node or --bundle, not both")
	}
	client, err := flags.Client()
	if err != nil {
		return unreadable(err)
	}
	reader := &doctor.Reader{Cluster: client, Resolve: doctor.SystemResolver, Version: version, Namespace: chosenNamespace(command, flags), Node: options.node}
	snapshot, err := reader.Read(command.Context())
	if err != nil {
		return unreadable(cluster.Explain(err, "get", cluster.Nodes))
	}
	if options.bundle != "" {
		return writeBundle(command.Context(), client, snapshot, options.bundle, streams)
	}
	if options.node != "" && !snapshot.Only(options.node) {
		return unreadable(noNode(snapshot, options.node))
	}
	findings := doctor.Check(snapshot)
	if err := printFindings(snapshot, findings, streams, options.output); err != nil {
		return err
	}
	if doctor.Worst(findings) == doctor.Problem {
		return cli.ExitStatus(exitNotWell)
	}
	return nil
}

// noNode is the error of a node that was not read.
func noNode(snapshot *doctor.Snapshot, name string) error {
	if err := snapshot.Unread[doctor.Nodes]; err != nil {
		return cluster.Explain(err, "list", cluster.Nodes)
	}
	known := make([]string, len(snapshot.Nodes))
	for i := range snapshot.Nodes {
		known[i] = snapshot.Nodes[i].Name
	}
	return unknownName(nounOf(cluster.Nodes), name, known)
}

func printFindings(snapshot *doctor.Snapshot, findings []doctor.Finding, streams terminal.Streams, output string) error {
	if output != "" {
		return printStructured(streams, output, map[string]any{"namespace": snapshot.Namespace, "findings": findings})
	}
	_, err := fmt.Fprint(streams.Out, doctor.Text(snapshot.Title(), findings, streams.Style()))
	return err
}
