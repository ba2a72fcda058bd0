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

// clock is the machine's clock: the real one plus the time that a test has let pass.
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

// logBuffer keeps what an agent logs, at every level.
type logBuffer struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (b *logBuffer) logger() logr.Logger {
	return funcr.New(func(prefix, line string) {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.lines.WriteString(prefix + " " + line + "\n")
	}, funcr.Options{Verbosity: 10})
}

func (b *logBuffer) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines.String()
}

// end returns the last few kilobytes.
func (b *logBuffer) end() string {
	text := b.text()
	return text[max(0, len(text)-6000):]
}

// reconcileCount counts the reconciles of each certificate: each begins by reading it.
type reconcileCount struct {
	mu     sync.Mutex
	byName map[string]int
}

func (l *reconcileCount) count(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.byName == nil {
		l.byName = map[string]int{}
	}
	l.byName[name]++
}

func (l *reconcileCount) of(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byName[name]
}

type countingClient struct {
	client.Client
	reconciles *reconcileCount
}

// Get implements client.Client.
func (c *countingClient) Get(ctx context.Context, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
	if _, ok := into.(*v1alpha1.ObservedCertificate); ok {
		c.reconciles.count(key.Name)
	}
	return c.Client.Get(ctx, key, into, options...)
}
