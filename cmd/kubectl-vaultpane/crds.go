package main

import (
	"bytes"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/schemadiff"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const crdsHelp = `Print the CustomResourceDefinitions of this version, as YAML.

Helm installs CRDs once and never updates them; the chart does so by a Job before each upgrade. If that is turned off, or did not
run, apply them by hand. The command itself does not contact a cluster.`

func newCRDs(_ *cluster.Flags, streams terminal.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "crds",
		Short: "Print the CustomResourceDefinitions of this version",
		Long:  crdsHelp,
		Example: `  # install or update them
  kubectl vaultpane crds | kubectl apply --server-side --force-conflicts -f -`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			for _, own := range schemadiff.Own() {
				if _, err := fmt.Fprintf(streams.Out, "---\n%s", bytes.TrimPrefix(own.YAML, []byte("---\n"))); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
