package main

import (
	"context"
	"errors"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/poll"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

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
