package keyvault

import (
	"context"
	"sync"
	"time"
)

// trail is what happened on the wire during one Get. The SDK flattens the cause of a failed token request, and of
// an answer that it cannot read, into text; it is kept here, so that it can be classified by its type.
type trail struct {
	began time.Time

	mu     sync.Mutex
	host   string
	status int // of the last answer; 0 where none came
	err    error
}

type trailKey struct{}

func withTrail(ctx context.Context) (context.Context, *trail) {
	t := &trail{began: time.Now()}
	return context.WithValue(ctx, trailKey{}, t), t
}

// trailOf returns the trail that a context has, else a new one.
func trailOf(ctx context.Context) (context.Context, *trail) {
	if t, ok := ctx.Value(trailKey{}).(*trail); ok {
		return ctx, t
	}
	return withTrail(ctx)
}

func noteFailure(ctx context.Context, host string, err error) {
	if t, ok := ctx.Value(trailKey{}).(*trail); ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.host, t.status, t.err = host, 0, err
	}
}

func noteAnswer(ctx context.Context, host string, status int) {
	if t, ok := ctx.Value(trailKey{}).(*trail); ok {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.host, t.status, t.err = host, status, nil
	}
}

// last returns the host that was asked last, and the status of its answer, 0 where none came.
func (t *trail) last() (host string, status int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.host, t.status
}

// failure returns what is to blame for an error of the SDK: the exchange that broke off, or the vault's success that the SDK
// cannot read. It returns nil if neither is.
func (t *trail) failure(vault string) *wireError {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.err != nil:
		return &wireError{host: t.host, cause: t.err}
	case t.host == vault && t.status/100 == 2:
		return &wireError{host: vault, cause: errNotJSON}
	}
	return nil
}
