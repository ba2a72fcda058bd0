package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/plan"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/internal/settings"
)

// planOptions are the flags of plan.
type planOptions struct {
	files  []string
	output string
}

const planHelp = `Show what applying ObservedCertificates would change, before it is done.

It reads manifests as kubectl apply takes them, and settings of the Key Vault VM extension for Windows, in JSON or YAML. For each
certificate it says whether it is new, changed or unchanged, with every field that changes; which nodes would get it and which
would no longer be selected; and what stands in the way:

  - the API server would refuse it, by its rules or by a policy (a dry run asks it)
  - agents may not contact the vault (agent.allowedVaultHosts of the chart)
  - another ObservedCertificate installs the same certificate into the same store with other key options
  - no node with an agent is selected

A field that the file leaves out counts with its default; kubectl apply keeps a value that was set otherwise. Nothing is changed.

Exit codes: 0 no conflict (there may be warnings), 1 at least one conflict, 2 a file or the cluster cannot be read, or the
arguments are wrong.`

const planExample = `  # what would this file change?
  kubectl vaultpane plan -f certificates.yaml

  # and the extension's settings of a machine?
  az vmss extension list -g GROUP --vmss-name NAME -o json | kubectl vaultpane convert - | kubectl vaultpane plan -f -

  # in a pipeline
  kubectl vaultpane plan -f certificates.yaml -o json`

func newPlan(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	var options planOptions
	command := &cobra.Command{
		Use:     "plan -f FILE",
		Short:   "Show what applying certificates would change, and what stands in the way",
		Long:    planHelp,
		Example: planExample,
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return runPlan(command, flags, streams, options)
		},
	}
	command.Flags().StringArrayVarP(&options.files, "filename", "f", nil, "a file to read, - for standard input; may be given several times")
	addOutput(command, &options.output)
	return command
}

func runPlan(command *cobra.Command, flags *cluster.Flags, streams terminal.Streams, options planOptions) error {
	if err := requireOutput(options.output, formats...); err != nil {
		return err
	}
	if len(options.files) == 0 {
		return usageError("no file is given; see '%s --help'", command.CommandPath())
	}
	wanted, err := readWanted(options.files, streams)
	if err != nil {
		return unreadable(err)
	}
	client, err := flags.Client()
	if err != nil {
		return unreadable(err)
	}
	state, err := plan.Read(command.Context(), client, chosenNamespace(command, flags), wanted)
	if err != nil {
		return unreadable(err)
	}
	changes := plan.Make(state, wanted)
	if err := printPlan(changes, state.Unread, streams, options.output); err != nil {
		return err
	}
	if plan.Worst(changes) == plan.Conflict {
		return cli.ExitStatus(exitNotWell)
	}
	return nil
}

func printPlan(changes []plan.Change, unread []string, streams terminal.Streams, output string) error {
	if output != "" {
		return printStructured(streams, output, map[string]any{"changes": changes, "unread": unread})
	}
	_, err := io.WriteString(streams.Out, plan.Text(changes, unread, streams.Style()))
	return err
}

// readWanted reads the certificates of all files. Notes about the files are printed.
func readWanted(names []string, streams terminal.Streams) ([]v1alpha1.ObservedCertificate, error) {
	reader, err := settings.NewReader()
	if err != nil {
		return nil, err
	}
	var files []settings.File
	var problems settings.Problems
	for _, name := range names {
		file, err := readFile(reader, name, streams.In)
		var some settings.Problems
		if errors.As(err, &some) {
			problems = append(problems, some...)
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, note := range file.Notes {
			_, _ = fmt.Fprintln(streams.Err, "note:", note.Error()) // the plan follows in any case
		}
		files = append(files, file)
	}
	wanted, more := settings.Combine(files)
	if problems = append(problems, more...); len(problems) > 0 {
		return nil, fmt.Errorf("the files cannot be used:\n%s", strings.Join(settings.Lines(problems), "\n"))
	}
	return wanted, nil
}

func readFile(reader *settings.Reader, name string, in io.Reader) (settings.File, error) {
	if name != "-" {
		return reader.ReadFile(name)
	}
	content, err := io.ReadAll(io.LimitReader(in, settings.MaxSize+1))
	if err != nil {
		return settings.File{}, fmt.Errorf("reading standard input: %w", err)
	}
	return reader.Read("standard input", content)
}
