package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
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
			if err := requireNames(command, names, o.all); err != nil {
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

// mostNamed bounds the nodes that are named on a terminal; a pipe gets all.
const mostNamed = 100

// await shows the progress until every node has answered, or the time is over.
func (o *pollOptions) await(ctx context.Context, client *cluster.Client, names []string, requested string, streams terminal.Streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f, err := follow(ctx, client, names, true, "")
	if err != nil {
		return unreadable(err)
	}
	limited, cancelLimited := context.WithTimeout(ctx, o.timeout) // of waiting: the first lists take what they take
	defer cancelLimited()
	w := &pollWaiter{options: o, client: client, line: &progressLine{streams: streams}, streams: streams, printed: map[string]bool{}}
	for {
		all := progressOf(names, requested, f)
		if ctx.Err() != nil {
			return unreadable(errors.Join(w.line.end(), errors.New("interrupted; the nodes go on polling")))
		}
		if err := w.results(ctx, all, f, limited.Err() != nil); err != nil {
			return unreadable(err)
		}
		if len(w.printed) == len(names) {
			return w.verdict()
		}
		if err := w.line.show(poll.Line(streams.Style(), all), time.Now()); err != nil {
			return unreadable(err)
		}
		if err := f.next(limited, redrawAfter); err != nil {
			return unreadable(err)
		}
	}
}

// pollWaiter prints what becomes of requests.
type pollWaiter struct {
	options *pollOptions
	client  *cluster.Client
	streams terminal.Streams
	line    *progressLine
	printed map[string]bool
	failed  bool
}

// results prints the requests that are done, or all when the time is over.
func (w *pollWaiter) results(ctx context.Context, all []poll.Progress, f *following, over bool) error {
	most := 0
	if w.streams.Terminal {
		most = mostNamed
	}
	for _, p := range all {
		if w.printed[p.Certificate] || !p.Done() && !over {
			continue
		}
		if p.Unreported > 0 {
			p.Name(selectedNodes(ctx, w.client, named(f.certificates.All(), p.Certificate)), f.states.Nodes())
		}
		w.printed[p.Certificate], w.failed = true, w.failed || !p.Succeeded()
		if err := w.line.result(p.Text(w.streams.Style(), w.options.timeout, most)); err != nil {
			return err
		}
	}
	return nil
}

func (w *pollWaiter) verdict() error {
	if w.failed {
		return cli.ExitStatus(exitNotWell)
	}
	return nil
}

// agentNodes are the labels of the nodes that run the agent, unless the chart was told others.
const agentNodes = "kubernetes.io/os=windows"

// selectedNodes returns the names of the nodes that a certificate selects, none where they cannot be read.
func selectedNodes(ctx context.Context, client *cluster.Client, certificate *v1alpha1.ObservedCertificate) []string {
	if certificate == nil {
		return nil
	}
	selector, err := certificate.Spec.NodeSelector.AsSelector()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	names, err := client.Names(ctx, cluster.Nodes, metav1.ListOptions{LabelSelector: strings.Trim(selector.String()+","+agentNodes, ",")})
	if err != nil {
		return nil
	}
	return names
}

// progressOf computes how far each request is.
func progressOf(names []string, requested string, f *following) []poll.Progress {
	certificates, nodes := f.certificates.All(), f.states.Nodes()
	var all []poll.Progress
	for _, name := range names {
		all = append(all, poll.ProgressOf(name, requested, named(certificates, name), nodes))
	}
	return all
}
