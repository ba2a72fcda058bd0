package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const promoteLong = `Continues the roll-out in waves of certificates (spec.rollout) at once, whatever its pause and its failures: the next wave of
nodes gets the new version, with --full all of them. It is the annotation vaultpane.dev/promote of the ObservedCertificate, which
holds for the version that is rolled out now and for no later one.

Exit codes:
  0  all continue, or have no wave left
  2  one could not be continued, or the command was called wrongly`

const promoteExample = `  # the first nodes work well: do not wait for the pause
  kubectl vaultpane promote web
  # a renewal that cannot wait
  kubectl vaultpane promote web --full`

func newPromote(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	var full bool
	command := &cobra.Command{
		Use: "promote NAME...", Short: "Continue roll-outs in waves", Long: promoteLong, Example: promoteExample,
		ValidArgsFunction: completeCertificates(flags),
		RunE: func(command *cobra.Command, names []string) error {
			if err := requireNames(command, names, false); err != nil {
				return err
			}
			client, err := flags.Client()
			if err == nil {
				err = promote(command.Context(), client, names, full, streams)
			}
			return unreadable(err)
		},
	}
	command.Flags().BoolVar(&full, "full", false, "all waves, not only the next")
	return command
}

func promote(ctx context.Context, client *cluster.Client, names []string, full bool, streams terminal.Streams) error {
	certificates, err := findCertificates(ctx, client, names)
	if err != nil {
		return err
	}
	for i := range certificates {
		value, text, err := promotion(&certificates[i], full)
		if err != nil {
			return err
		}
		if value != "" {
			patch := map[string]any{"metadata": map[string]any{"annotations": map[string]any{v1alpha1.PromoteAnnotation: value}}}
			if err := client.Patch(ctx, cluster.ObservedCertificates, "", certificates[i].Name, patch); err != nil {
				return cluster.Explain(err, "patch", cluster.ObservedCertificates)
			}
		}
		if _, err := io.WriteString(streams.Out, streams.Style().Wrap("", "  ", text)); err != nil {
			return err
		}
	}
	return nil
}

// promotion returns the value of the annotation that continues a roll-out, empty where there is nothing to continue, and what to say
// of it.
func promotion(certificate *v1alpha1.ObservedCertificate, full bool) (value, text string, err error) {
	name, waves, status := certificate.Name, certificate.Spec.Rollout, certificate.Status.Rollout
	switch {
	case waves == nil:
		return "", "", usageError("%s has no waves (spec.rollout): every node gets a new version at once", name)
	case status == nil || certificate.Status.LatestVersion == nil || status.Version != certificate.Status.LatestVersion.Version:
		return "", "", fmt.Errorf("%s: the controller has not started a roll-out yet; 'kubectl vaultpane status %s' says why", name, name)
	case int(status.Wave) > len(waves.Waves):
		return "", fmt.Sprintf("%s: every node may have version %s already.", name, status.Version), nil
	case full:
		return status.Version, fmt.Sprintf("%s: every node may have version %s now.", name, status.Version), nil
	}
	next := status.Wave + 1
	text = fmt.Sprintf("%s: wave %d of %d may have version %s now.", name, next, len(waves.Waves), status.Version)
	if int(next) > len(waves.Waves) {
		text = fmt.Sprintf("%s: the nodes that no wave selects may have version %s now, and with them every node.", name, status.Version)
	}
	return fmt.Sprintf("%s/%d", status.Version, next), text, nil
}
