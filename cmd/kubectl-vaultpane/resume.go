package main

import (
	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const resumeLong = `Ends the suspension of certificates: sets spec.suspend to false. Every selected node asks Key Vault for them at once, and
installs what is new. A certificate that is not suspended is left as it is.

Exit codes:
  0  none is suspended any more
  2  one could not be resumed, or the command was called wrongly`

const resumeExample = `  kubectl vaultpane resume web
  # and see that every node has the newest version
  kubectl vaultpane resume web && kubectl vaultpane wait web`

func newResume(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	return suspension{
		done: "resumed: its nodes poll Key Vault for it now, and install what is new",
		was:  "was not suspended",
	}.command(flags, streams, &cobra.Command{
		Use: "resume NAME...", Short: "End the suspension of certificates", Long: resumeLong, Example: resumeExample,
	})
}
