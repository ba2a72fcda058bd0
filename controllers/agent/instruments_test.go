package agent_test

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// clock is the machine's: the world's, and ahead of it by what a test has let pass.
type clock struct {
	mu    sync.Mutex
	ahead time.Duration
}

// Now returns the time.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// logBook keeps what an agent logs, at every level.
type logBook struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (b *logBook) logger() logr.Logger {
	return funcr.New(func(prefix, line string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.lines.WriteString(prefix + " " + line + "\n")
	}, funcr.Options{Verbosity: 10})
}

func (b *logBook) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.String()
}

// end returns the last few kilobytes.
func (b *logBook) end() string {
	text := b.text()
	return text[max(0, len(text)-6000):]
}

// lookCount counts the looks at each certificate: a reconcile begins with reading it.
type lookCount struct {
	mu     sync.Mutex
	byName map[string]int
}

func (l *lookCount) count(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName == nil {
		l.byName = map[string]int{}
	}
	l.byName[name]++
}

func (l *lookCount) of(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byName[name]
}

type countingClient struct {
	client.Client
	looks *lookCount
}

// Get implements client.Client.
func (c *countingClient) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	if _, ok := into.(*v1alpha1.ObservedCertificate); ok {
		c.looks.count(key.Name)
	}
	return c.Client.Get(ctx, key, into, options...)
}
