package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/status"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const statusLong = `Shows the certificates of the cluster and how far each is installed.

Without a name, all certificates: one line each, the soonest expiry first, a bar where nodes are missing; then what is wrong, by
reason, with what to do. This reads the ObservedCertificates alone.
With names, each certificate on its nodes: nodes with problems first, the others in one line (-o wide lists every node).
With --node, the certificates of that node, as its agent reported them; with names too, these alone.

Signs: ✓ installed   ↻ being installed   ! installed, with a warning   ✗ failed   ? suspended, or no node selected
(in ASCII + ~ ! x ?).
Warnings: ExpiringSoon (a certificate on a node expires soon), SyncFailing (polls fail, installed certificates stay),
LinkDeclined (programs keep using an older version). docs/status.md explains all conditions, docs/errors.md all reasons.

-o json and -o yaml print the same for scripts, with stable field names:
  without names   certificates[]: name, state, reason, message, since, nodes{matched, installed, failed, pending}, version,
                  thumbprint, notAfter, latestVersion, warnings[], suspended, url, store
                  problems[]: reason, meaning, action, certificates[]{name, condition, message, nodes[]{node, reason, message}}
                  summary: certificates, installed, rollingOut, failed, suspended, noNodes, unprocessed, needsAction, nextExpiry
  with names      certificates[]: the same fields, problems[], and
                  entries[]: node, state, reason, message, since, version, thumbprint, notAfter, agentVersion
                  unreported: number of selected nodes that have not reported the certificate
  with --node     node, agentVersion, failing, missing[], omitted, and entries[] with certificate instead of node
state is Installed, RollingOut, Failed, Suspended, NoNodes or Unprocessed for a certificate, and Installed, Pending, Failed or
Suspended on a node.

Exit codes:
  0  nothing failed; nodes may still be installing
  1  something did: a node failed, polls fail, a certificate expires soon, or the controller no longer writes the status
  2  the status cannot be read, or the command was called wrongly
With --watch, the exit code is 0 when it is interrupted.`

const statusExample = `  # all certificates at a glance
  kubectl vaultpane status
  # where is web installed, and where not?
  kubectl vaultpane status web
  # the certificates of one node, with every detail
  kubectl vaultpane status --node akswin000001 -o wide
  # follow a roll-out
  kubectl vaultpane status web --watch
  # names of the certificates that failed
  kubectl vaultpane status -o json | jq -r '.certificates[] | select(.state == "Failed") | .name'`

// statusOptions are the arguments of status.
type statusOptions struct {
	names  []string
	node   string
	output string
	watch  bool
}

// statusView is what status shows.
type statusView interface {
	Text(style terminal.Style, wide bool, now time.Time) string
	Failing() bool
}

func newStatus(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	var o statusOptions
	command := &cobra.Command{
		Use: "status [NAME...]", Short: "Show certificates and where they are installed", Long: statusLong, Example: statusExample,
		ValidArgsFunction: completeCertificates(flags),
		RunE: func(command *cobra.Command, names []string) error {
			o.names = names
			return o.run(command.Context(), flags, streams)
		},
	}
	command.Flags().StringVar(&o.node, "node", "", "show the certificates of this node")
	command.Flags().StringVarP(&o.output, "output", "o", "", "wide, json or yaml")
	command.Flags().BoolVarP(&o.watch, "watch", "w", false, "show it again at each change, until interrupted")
	completeFlag(command, "node", flags, cluster.NodeCertificateStates)
	completeWords(command, "output", "wide", "json", "yaml")
	return command
}

func (o *statusOptions) run(ctx context.Context, flags *cluster.Flags, streams terminal.Streams) error {
	if err := requireOutput(o.output, "wide", "json", "yaml"); err != nil {
		return err
	}
	client, err := flags.Client()
	if err != nil {
		return unreadable(err)
	}
	view, err := o.read(ctx, client)
	if err != nil {
		return unreadable(err)
	}
	if o.watch {
		return unreadable(o.follow(ctx, client, streams))
	}
	text, err := o.print(view, streams.Style(), time.Now())
	if err != nil {
		return unreadable(err)
	}
	if _, err := io.WriteString(streams.Out, text); err != nil {
		return unreadable(err)
	}
	outdated := ""
	if o.node == "" { // an agent reports itself
		outdated = silence(ctx, client, time.Now())
	}
	if outdated != "" {
		_, _ = io.WriteString(streams.Err, streams.Style().Signed(terminal.Warning, "  ", outdated))
	}
	if view.Failing() || outdated != "" {
		return cli.ExitStatus(exitNotWell)
	}
	return nil
}

// print returns a view in the form of --output.
func (o *statusOptions) print(view statusView, style terminal.Style, now time.Time) (string, error) {
	if o.output == "json" || o.output == "yaml" {
		return structured(o.output, view)
	}
	return view.Text(style, o.output == "wide", now), nil
}

// read reads no more than what is shown.
func (o *statusOptions) read(ctx context.Context, client *cluster.Client) (statusView, error) {
	var certificates []v1alpha1.ObservedCertificate
	var err error
	if o.node == "" || len(o.names) > 0 {
		if certificates, err = findCertificates(ctx, client, o.names); err != nil {
			return nil, err
		}
	}
	states := status.NewStates(o.names, nil)
	switch {
	case o.node != "":
		err = o.readNode(ctx, client, states)
	case len(o.names) > 0 && !o.watch: // otherwise they are read by following them
		err = cluster.List(ctx, client, cluster.NodeCertificateStates, "", metav1.ListOptions{}, func(state *status.NodeState) error {
			states.Set(state)
			return nil
		})
		err = cluster.Explain(err, "list", cluster.NodeCertificateStates)
	}
	return o.view(certificates, states, time.Now()), err
}

// view computes what is shown of what was read.
func (o *statusOptions) view(certificates []v1alpha1.ObservedCertificate, states *status.States, now time.Time) statusView {
	switch {
	case o.node != "":
		return status.NewNodeView(o.node, states.Nodes()[o.node], certificates, now)
	case len(o.names) > 0:
		return status.NewDetails(certificates, states.Nodes(), now)
	}
	return status.NewOverview(certificates, now)
}

// readNode reads what one agent reported.
func (o *statusOptions) readNode(ctx context.Context, client *cluster.Client, states *status.States) error {
	if err := requireName(o.node); err != nil {
		return err
	}
	var state status.NodeState
	err := client.Get(ctx, cluster.NodeCertificateStates, "", o.node, &state)
	if apierrors.IsNotFound(err) && !cluster.IsMissing(err) {
		var node struct{}
		if client.Get(ctx, cluster.Nodes, "", o.node, &node) == nil {
			return fmt.Errorf("the agent of node %s has not reported: it may run no agent, or the agent cannot write its report; 'kubectl vaultpane doctor --node %s' says more", o.node, o.node)
		}
	}
	if err != nil {
		return notFound(ctx, client, cluster.NodeCertificateStates, o.node, err)
	}
	states.Set(&state)
	return nil
}
