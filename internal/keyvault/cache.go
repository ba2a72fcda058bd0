package keyvault

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// cacheTTL is how long a response can be shared after it arrived. It holds a private key, so the time is short: long enough for
// the certificates of one URL, whose polling slots are the same moment, to be reconciled.
const cacheTTL = 5 * time.Second

// responseCache shares Key Vault's responses between callers that request the same secret with the same identity.
type responseCache struct {
	mu    sync.Mutex
	byKey map[request]*cachedResponse
}

type cachedResponse struct {
	started time.Time
	done    chan struct{}
	secret  Secret
	err     error
}

// get returns the response to a request that began at since or later: one that is under way or has just arrived, or a new one.
func (c *responseCache) get(ctx context.Context, key request, since time.Time, fetch func(context.Context) (Secret, error)) (Secret, error) {
	for {
		secret, err := c.share(ctx, key, since, fetch)
		if !errors.Is(err, errEvicted) { // an evicted response is requested again
			return secret, err
		}
	}
}

var errEvicted = errors.New("the shared response has been evicted")

func (c *responseCache) share(ctx context.Context, key request, since time.Time, fetch func(context.Context) (Secret, error)) (Secret, error) {
	current := c.join(ctx, key, since, fetch)
	select {
	case <-current.done:
	case <-ctx.Done():
		return Secret{}, ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if current.secret.Value == nil && current.err == nil {
		return Secret{}, errEvicted
	}
	secret := current.secret
	secret.Value = append([]byte(nil), secret.Value...)
	return secret, current.err
}

func (c *responseCache) join(ctx context.Context, key request, since time.Time, fetch func(context.Context) (Secret, error)) *cachedResponse {
	c.mu.Lock()
	defer c.mu.Unlock()
	if current, ok := c.byKey[key]; ok && !current.started.Before(since) {
		return current
	}
	current := &cachedResponse{started: time.Now(), done: make(chan struct{})}
	if c.byKey == nil {
		c.byKey = map[request]*cachedResponse{}
	}
	c.byKey[key] = current
	go c.request(context.WithoutCancel(ctx), key, current, fetch)
	return current
}

// request fetches for all callers that wait: one caller's cancelled context must not fail the others.
func (c *responseCache) request(ctx context.Context, key request, current *cachedResponse, fetch func(context.Context) (Secret, error)) {
	ctx, cancel := context.WithTimeout(ctx, exchange.RequestTimeout)
	defer cancel()
	secret, err := fetch(ctx)
	unsent := errors.As(err, new(*unsentError))
	c.mu.Lock()
	current.secret, current.err = secret, err
	if unsent && c.byKey[key] == current {
		delete(c.byKey, key) // before a caller that waits for it goes on and asks again
	}
	c.mu.Unlock()
	close(current.done)
	if !unsent {
		time.AfterFunc(cacheTTL, func() { c.evict(key, current) })
	}
}

func (c *responseCache) evict(key request, current *cachedResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey[key] == current {
		delete(c.byKey, key)
	}
	clear(current.secret.Value)
	current.secret.Value = nil
}

// unsentError marks an error of a request that was not sent, so that later callers do not share it.
type unsentError struct{ error }

// Unwrap returns the error.
func (u *unsentError) Unwrap() error { return u.error }
