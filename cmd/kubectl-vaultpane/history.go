package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/history"
	"github.com/vaultpane/vaultpane/internal/plugin/status"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const historyLong = `Shows which versions of a certificate the nodes have, and when each came to the first and to every node.

How many nodes have a version is what the nodes report now. The times are those of events about the ObservedCertificate, which an
API server keeps for an hour unless its --event-ttl differs; the last line says how far back they reach. A version whose events
are gone has no times, and one that is on no node either is not known.

-o json and -o yaml print certificate, createdAt, since, nodes, versions[]{version, thumbprint, notAfter, current, nodes, started,
completed} and events[]{time, reason, message, warning, times}.

Exit codes:
  0  the history was printed
  2  it cannot be read, or the command was called wrongly`

const historyExample = `  kubectl vaultpane history web
  # with full versions and times
  kubectl vaultpane history web -o wide`

func newHistory(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	output := ""
	command := &cobra.Command{
		Use: "history NAME", Short: "Show which versions of a certificate came when to how many nodes", Long: historyLong, Example: historyExample,
		Args: func(command *cobra.Command, names []string) error {
			if len(names) != 1 {
				return usageError("name one certificate; see '%s --help'", command.CommandPath())
			}
			return nil
		},
		ValidArgsFunction: completeCertificates(flags),
		RunE: func(command *cobra.Command, names []string) error {
			if err := requireOutput(output, "wide", "json", "yaml"); err != nil {
				return err
			}
			client, err := flags.Client()
			if err != nil {
				return unreadable(err)
			}
			return unreadable(printHistory(command.Context(), client, names[0], output, streams))
		},
	}
	command.Flags().StringVarP(&output, "output", "o", "", "wide, json or yaml")
	completeWords(command, "output", "wide", "json", "yaml")
	return command
}

func printHistory(ctx context.Context, client *cluster.Client, name, output string, streams terminal.Streams) error {
	certificates, err := findCertificates(ctx, client, []string{name})
	if err != nil {
		return err
	}
	events, err := eventsOf(ctx, client, name)
	if err != nil {
		return err
	}
	states := status.NewStates([]string{name}, nil)
	err = cluster.List(ctx, client, cluster.NodeCertificateStates, "", metav1.ListOptions{}, func(state *status.NodeState) error {
		states.Set(state)
		return nil
	})
	if err != nil {
		return cluster.Explain(err, "list", cluster.NodeCertificateStates)
	}
	view := history.Of(&certificates[0], events, states.Nodes())
	text := view.Text(streams.Style(), output == "wide", time.Now())
	if output == "json" || output == "yaml" {
		text, err = structured(output, view)
	}
	if err == nil {
		_, err = io.WriteString(streams.Out, text)
	}
	return err
}

// events are Kubernetes' own.
var events = schema.GroupVersionResource{Version: "v1", Resource: "events"}

// eventsOf reads the events about a certificate. Those of objects that are not in a namespace are in the namespace default.
func eventsOf(ctx context.Context, client *cluster.Client, name string) ([]history.Event, error) {
	var all []history.Event
	options := metav1.ListOptions{FieldSelector: "involvedObject.kind=ObservedCertificate,involvedObject.name=" + name}
	err := cluster.List(ctx, client, events, metav1.NamespaceDefault, options, func(event *history.Event) error {
		all = append(all, *event)
		return nil
	})
	return all, cluster.Explain(err, "list", events)
}
