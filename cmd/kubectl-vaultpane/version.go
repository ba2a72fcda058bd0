package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

func newVersion(_ *cluster.Flags, streams terminal.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this command",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(streams.Out, "kubectl-vaultpane", version)
			return err
		},
	}
}
