package keyvault

import (
	"context"
	"errors"
	"sync"
	"time"
)

// keepAnswer is how long an answer can be shared after it came. It holds a private key, so it is short: long enough for
// the certificates of one URL, whose polling slots are the same moment, to be reconciled.
const keepAnswer = 5 * time.Second

// answers shares Key Vault's answers between those who ask for the same secret with the same identity.
type answers struct {
	mu    sync.Mutex
	byKey map[answerKey]*answer
}

type answerKey struct {
	secret   SecretURL
	clientID string
}

type answer struct {
	started time.Time
	done    chan struct{}
	secret  Secret
	err     error
}

// get returns the answer to a request that began at since or later: one under way or just come, or a new one.
func (a *answers) get(ctx context.Context, key answerKey, since time.Time, fetch func(context.Context) (Secret, error)) (Secret, error) {
	for {
		secret, err := a.share(ctx, key, since, fetch)
		if !errors.Is(err, errForgotten) { // else it was waited for too long: it is asked for again
			return secret, err
		}
	}
}

var errForgotten = errors.New("the shared answer has been forgotten")

func (a *answers) share(ctx context.Context, key answerKey, since time.Time, fetch func(context.Context) (Secret, error)) (Secret, error) {
	current := a.join(ctx, key, since, fetch)
	select {
	case <-current.done:
	case <-ctx.Done():
		return Secret{}, ctx.Err()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if current.secret.Value == nil && current.err == nil {
		return Secret{}, errForgotten
	}
	secret := current.secret
	secret.Value = append([]byte(nil), secret.Value...)
	return secret, current.err
}

func (a *answers) join(ctx context.Context, key answerKey, since time.Time, fetch func(context.Context) (Secret, error)) *answer {
	a.mu.Lock()
	defer a.mu.Unlock()
	if current, ok := a.byKey[key]; ok && !current.started.Before(since) {
		return current
	}
	current := &answer{started: time.Now(), done: make(chan struct{})}
	if a.byKey == nil {
		a.byKey = map[answerKey]*answer{}
	}
	a.byKey[key] = current
	go a.ask(context.WithoutCancel(ctx), key, current, fetch)
	return current
}

// ask fetches on behalf of everyone who waits: one caller's cancelled context must not fail the others.
func (a *answers) ask(ctx context.Context, key answerKey, current *answer, fetch func(context.Context) (Secret, error)) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	secret, err := fetch(ctx)
	a.mu.Lock()
	current.secret, current.err = secret, err
	a.mu.Unlock()
	close(current.done)
	if errors.As(err, new(*unasked)) {
		a.forget(key, current)
		return
	}
	time.AfterFunc(keepAnswer, func() { a.forget(key, current) })
}

func (a *answers) forget(key answerKey, current *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.byKey[key] == current {
		delete(a.byKey, key)
	}
	clear(current.secret.Value)
	current.secret.Value = nil
}
