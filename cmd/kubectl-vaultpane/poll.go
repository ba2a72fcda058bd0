package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/poll"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const pollLong = `Requests a poll: every node that a certificate selects asks Key Vault for it now, not at its next polling time, and installs
what is new. The request is the annotation vaultpane.dev/requestedAt of the ObservedCertificate.

With --wait, it waits until every node has answered, and says which have not when --timeout is over. A node has answered when
its agent reports that it acted on this request or a later one. The nodes that should answer are those that have reported the
certificate, and those beyond them that the controller counts as selected: a node whose agent does not run is waited for, too.
A poll that fails for a reason that mostly passes, such as throttling, is retried and answered within minutes.

Suspended certificates are not polled: --all leaves them out, and naming one is an error.

Exit codes:
  0  the poll was requested; with --wait, every node has answered and none has a failure
  1  with --wait: a node has not answered in time, or has a failure
  2  the poll could not be requested, or the command was called wrongly`

const pollExample = `  # renewed in the vault: install it now, and see that it arrived
  kubectl vaultpane poll web --wait
  # after correcting the rights of the identity, try all again
  kubectl vaultpane poll --all
  # in a pipeline
  kubectl vaultpane poll web api --wait --timeout 10m`

// pollOptions are the arguments of poll.
type pollOptions struct {
	names   []string
	all     bool
	wait    bool
	timeout time.Duration
}

func newPoll(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	var o pollOptions
	command := &cobra.Command{
		Use: "poll NAME...|--all", Short: "Have nodes ask Key Vault for certificates now", Long: pollLong, Example: pollExample,
		ValidArgsFunction: completeCertificates(flags),
		RunE: func(command *cobra.Command, names []string) error {
			o.names = names
			if err := errors.Join(requireNames(command, names, o.all), requireTimeout(o.timeout)); err != nil {
				return err
			}
			if command.Flags().Changed("timeout") && !o.wait {
				return usageError("--timeout has no effect without --wait")
			}
			return o.run(command.Context(), flags, streams)
		},
	}
	command.Flags().BoolVar(&o.all, "all", false, "all certificates that are not suspended")
	command.Flags().BoolVar(&o.wait, "wait", false, "wait until every node has answered")
	command.Flags().DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long to wait with --wait")
	return command
}

// requireNames is an error unless certificates are named, or all are meant.
func requireNames(command *cobra.Command, names []string, all bool) error {
	switch {
	case all && len(names) > 0:
		return usageError("name certificates or give --all, not both")
	case !all && len(names) == 0:
		return usageError("name at least one certificate, or give --all; see '%s --help'", command.CommandPath())
	}
	return nil
}

// requireTimeout is an error for a negative time. For kubectl wait, it means a week.
func requireTimeout(timeout time.Duration) error {
	if timeout < 0 {
		return usageError("--timeout is %s, must not be negative", terminal.Duration(timeout))
	}
	return nil
}

func (o *pollOptions) run(ctx context.Context, flags *cluster.Flags, streams terminal.Streams) error {
	client, err := flags.Client()
	if err != nil {
		return unreadable(err)
	}
	certificates, err := findCertificates(ctx, client, o.names)
	if err != nil {
		return unreadable(err)
	}
	names, suspended := unsuspended(certificates)
	if len(suspended) > 0 && !o.all {
		return unreadable(fmt.Errorf("%s is suspended, so no node polls it: 'kubectl vaultpane resume %s' ends that", listed(suspended), suspended[0]))
	}
	requested := time.Now().UTC().Format(poll.Format)
	for _, name := range names {
		if err := request(ctx, client, name, requested); err != nil {
			return unreadable(err)
		}
	}
	if err := o.say(names, suspended, streams); err != nil || !o.wait || len(names) == 0 {
		return unreadable(err)
	}
	return o.await(ctx, client, names, requested, streams)
}

func unsuspended(certificates []v1alpha1.ObservedCertificate) (names, suspended []string) {
	for _, certificate := range certificates {
		if certificate.Spec.Suspend {
			suspended = append(suspended, certificate.Name)
			continue
		}
		names = append(names, certificate.Name)
	}
	return names, suspended
}

// request sets the annotation that requests a poll.
func request(ctx context.Context, client *cluster.Client, name, requested string) error {
	patch := map[string]any{"metadata": map[string]any{"annotations": map[string]string{v1alpha1.RequestedAtAnnotation: requested}}}
	err := client.Patch(ctx, cluster.ObservedCertificates, "", name, patch)
	return cluster.Explain(err, "patch", cluster.ObservedCertificates)
}

// say says what was requested.
func (o *pollOptions) say(names, suspended []string, streams terminal.Streams) error {
	text := "There is no certificate to poll.\n"
	if len(names) > 0 {
		text = "Requested a poll of " + listed(names) + ".\n"
	}
	if len(suspended) > 0 {
		text += "Left out because suspended: " + listed(suspended) + ".\n"
	}
	if !o.wait && len(names) > 0 {
		text += "'kubectl vaultpane status NAME --watch' shows what follows; --wait waits for the answers.\n"
	}
	_, err := io.WriteString(streams.Out, text)
	return err
}
