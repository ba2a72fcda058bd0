package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/ready"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

const waitLong = `Waits until certificates are ready: every selected node has acted on the current spec and has the newest version that any
node has (the condition Ready is True, for the current generation of the spec).

It ends at once where waiting does not help, and says why: the spec must change (the condition Stalled), the certificate is
suspended while nodes are missing, or it was deleted.

It does not know of a version in the vault that no node has read yet: 'kubectl vaultpane poll NAME --wait' has the nodes ask
for it first.

Exit codes:
  0  all are ready
  1  one is not in time, or cannot become ready
  2  the cluster cannot be read, or the command was called wrongly`

const waitExample = `  # after applying a change
  kubectl apply -f web.yaml && kubectl vaultpane wait web
  # before pods are started that need any of the certificates
  kubectl vaultpane wait --all --timeout 15m`

// waitOptions are the arguments of wait.
type waitOptions struct {
	names   []string
	all     bool
	timeout time.Duration
}

func newWait(flags *cluster.Flags, streams terminal.Streams) *cobra.Command {
	var o waitOptions
	command := &cobra.Command{
		Use: "wait NAME...|--all", Short: "Wait until certificates are installed on every selected node", Long: waitLong, Example: waitExample,
		ValidArgsFunction: completeCertificates(flags),
		RunE: func(command *cobra.Command, names []string) error {
			o.names = names
			if err := errors.Join(requireNames(command, names, o.all), requireTimeout(o.timeout)); err != nil {
				return err
			}
			return o.run(command.Context(), flags, streams)
		},
	}
	command.Flags().BoolVar(&o.all, "all", false, "all certificates of the cluster")
	command.Flags().DurationVar(&o.timeout, "timeout", 5*time.Minute, "how long to wait")
	return command
}

func (o *waitOptions) run(ctx context.Context, flags *cluster.Flags, streams terminal.Streams) error {
	client, err := flags.Client()
	if err != nil {
		return unreadable(err)
	}
	certificates, err := findCertificates(ctx, client, o.names)
	if err != nil {
		return unreadable(err)
	}
	names, suspended := unsuspended(certificates)
	names = append(names, suspended...)
	if len(names) == 0 {
		_, err := io.WriteString(streams.Out, "There is no certificate to wait for.\n")
		return unreadable(err)
	}
	slices.Sort(names)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f, err := follow(ctx, client, names, false, "")
	if err != nil {
		return unreadable(err)
	}
	limited, cancelLimited := context.WithTimeout(ctx, o.timeout)
	defer cancelLimited()
	return o.await(limited, f, names, streams)
}

// await shows the progress until all are ready, one cannot become ready, or the time is over.
func (o *waitOptions) await(ctx context.Context, f *following, names []string, streams terminal.Streams) error {
	line, printed := &progressLine{streams: streams}, map[string]bool{}
	for {
		if errors.Is(ctx.Err(), context.Canceled) {
			return unreadable(errors.Join(line.end(), errors.New("interrupted")))
		}
		over, impossible, pending := ctx.Err() != nil, false, ""
		certificates := f.certificates.All()
		for _, name := range names {
			verdict := ready.Of(named(certificates, name))
			impossible = impossible || verdict.Impossible
			switch {
			case printed[name]:
			case verdict.Ready, verdict.Impossible, over:
				printed[name] = true
				if err := line.result(waitResult(streams.Style(), name, verdict, o.timeout)); err != nil {
					return unreadable(err)
				}
			case pending == "":
				pending = name + ": " + verdict.Text
			}
		}
		switch {
		case impossible || over:
			return cli.ExitStatus(exitNotWell)
		case len(printed) == len(names):
			return nil
		}
		if err := line.show(fmt.Sprintf("%d of %d ready; %s", len(printed), len(names), pending), time.Now()); err != nil {
			return unreadable(err)
		}
		if err := f.next(ctx, redrawAfter); err != nil {
			return unreadable(err)
		}
	}
}

func waitResult(style terminal.Style, name string, verdict ready.Verdict, timeout time.Duration) string {
	level, text := terminal.Bad, fmt.Sprintf("not ready within %s: %s", terminal.Duration(timeout), verdict.Text)
	switch {
	case verdict.Ready:
		level, text = terminal.Good, "ready: "+verdict.Text
	case verdict.Impossible:
		text = "cannot become ready: " + verdict.Text
	}
	return style.Signed(level, "    ", name+": "+text)
}

// named returns the certificate of a name, nil for none.
func named(certificates []v1alpha1.ObservedCertificate, name string) *v1alpha1.ObservedCertificate {
	for i := range certificates {
		if certificates[i].Name == name {
			return &certificates[i]
		}
	}
	return nil
}
