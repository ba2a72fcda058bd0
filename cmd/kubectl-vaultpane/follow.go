package main

import (
	"context"
	"io"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/status"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// Times of --watch: how long changes are collected before they are shown, and after what time a terminal is drawn again because the
// ages in it change.
const (
	collectFor  = 300 * time.Millisecond
	redrawAfter = 10 * time.Second
)

// clearScreen moves the cursor to the top left and clears the screen (ECMA-48, CUP and ED).
const clearScreen = "\x1b[H\x1b[2J"

// following is what is kept current for --watch, and for the commands that wait.
type following struct {
	certificates *status.Certificates
	states       *status.States
	// changed receives after changes, many of which may be one value. failed receives why nothing is followed any more, nil where the
	// context ended.
	changed chan struct{}
	failed  chan error
	first   sync.WaitGroup // until every first list was read
}

// follow keeps certificates and, with states, what nodes report of them current until the context ends. node limits it to one node.
// It returns when everything was listed.
func follow(ctx context.Context, client *cluster.Client, names []string, states bool, node string) (*following, error) {
	f := &following{changed: make(chan struct{}, 1), failed: make(chan error, 2)}
	f.certificates = status.NewCertificates(names, f.afterFirst())
	go func() {
		f.failed <- cluster.Follow(ctx, client, cluster.ObservedCertificates, metav1.ListOptions{}, f.certificates)
	}()
	if states {
		f.states = status.NewStates(names, f.afterFirst())
		options := metav1.ListOptions{}
		if node != "" {
			options.FieldSelector = "metadata.name=" + node
		}
		go func() {
			f.failed <- cluster.Follow(ctx, client, cluster.NodeCertificateStates, options, f.states)
		}()
	} else {
		f.states = status.NewStates(names, nil)
	}
	listed := make(chan struct{})
	go func() { f.first.Wait(); close(listed) }()
	select {
	case <-listed:
		select {
		case <-f.changed: // by the first lists
		default:
		}
		return f, nil
	case err := <-f.failed:
		return f, err
	}
}

// afterFirst returns what a collection calls after a change; the first call is after its first list.
func (f *following) afterFirst() func() {
	f.first.Add(1)
	once := sync.OnceFunc(f.first.Done)
	return func() {
		select {
		case f.changed <- struct{}{}:
		default: // one is enough
		}
		once()
	}
}

// follow shows the status at each change until the context ends.
func (o *statusOptions) follow(ctx context.Context, client *cluster.Client, streams terminal.Streams) error {
	f, err := follow(ctx, client, o.names, o.node != "" || len(o.names) > 0, o.node)
	if err != nil || ctx.Err() != nil {
		return err
	}
	screen := screen{out: streams.Out, redraws: streams.Terminal, separator: "\n"}
	switch o.output {
	case "json":
		screen.redraws, screen.separator = false, ""
	case "yaml":
		screen.redraws, screen.separator = false, "---\n"
	}
	for {
		certificates := f.certificates.All()
		if o.node != "" && len(o.names) == 0 {
			certificates = nil // the node's certificates are shown as it reported them
		}
		draw := func(now time.Time) (string, error) {
			return o.print(o.view(certificates, f.states, now), streams.Style(), now)
		}
		if err := screen.show(draw, time.Now()); err != nil {
			return err
		}
		if err := f.next(ctx, redrawAfter); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// next returns after a change and those soon after it, after a time, when the context ends, or with the error that ends following.
func (f *following) next(ctx context.Context, atMost time.Duration) error {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case err := <-f.failed:
		return err
	case <-f.changed:
		wait(ctx, collectFor)
	case <-timer.C:
	}
	return nil
}

// screen is where text is shown again and again.
type screen struct {
	out     io.Writer
	redraws bool // it is cleared first
	// separator is printed between two texts where it is not.
	separator string
	last      string
	drawn     time.Time
}

// show draws on a terminal. Elsewhere it prints only what changed by more than the time that passed.
func (s *screen) show(draw func(now time.Time) (string, error), now time.Time) error {
	if !s.redraws && s.last != "" {
		unchanged, err := draw(s.drawn)
		if err != nil || unchanged == s.last {
			return err
		}
	}
	text, err := draw(now)
	if err != nil {
		return err
	}
	if s.redraws {
		_, err = io.WriteString(s.out, clearScreen+text)
	} else {
		separator := ""
		if s.last != "" {
			separator = s.separator
		}
		_, err = io.WriteString(s.out, separator+text)
	}
	s.last, s.drawn = text, now
	return err
}

// wait returns after a time, or when the context ends.
func wait(ctx context.Context, length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
