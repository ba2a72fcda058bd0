package keyvault

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

func TestRequestsAtTheSameTimeAreShared(t *testing.T) {
	f := newFixture(t)
	f.mustRead(t)
	f.vault.ResetStats()
	held, release := f.wire.hold()
	defer release()
	secret, since := urlOf(t, f.vault.SecretURL("word")), time.Now()
	got := make([]Secret, 50)
	var ready, done sync.WaitGroup
	for i := range got {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			var err error
			if got[i], err = f.clients.Get(t.Context(), secret, "", since); err != nil {
				t.Error(err)
			}
			defer clear(got[i].Value[:1]) // as its owner, who must not touch the others'
			if i%2 == 0 {
				clear(got[i].Value)
			}
		})
	}
	ready.Wait()
	<-held
	release()
	done.Wait()
	for i := 1; i < len(got); i += 2 {
		if want := append([]byte{0}, secretValue[1:]...); !bytes.Equal(got[i].Value, want) {
			t.Errorf("got %q, want a value of its own", got[i].Value)
		}
	}
	if stats := f.vault.Stats(); stats.Requests != 1 {
		t.Errorf("got %d requests, want 1", stats.Requests)
	}
}

func TestAnAnswerFromBeforeIsNotShared(t *testing.T) {
	f := newFixture(t)
	f.mustRead(t)
	before := time.Now()
	f.mustRead(t)
	secret := urlOf(t, f.vault.SecretURL("word"))
	for _, since := range []time.Time{before, {}} {
		if _, err := f.clients.Get(t.Context(), secret, "", since); err != nil {
			t.Fatal(err)
		}
	}
	if got := f.vault.Stats().Requests; got != 2 {
		t.Errorf("got %d requests, want 2: the later ones share the second answer", got)
	}
}

func TestACancelledCallerLeavesAtOnceAndTheOthersGetTheAnswer(t *testing.T) {
	f := newFixture(t)
	held, release := f.wire.hold()
	defer release()
	secret := urlOf(t, f.vault.SecretURL("word"))
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, err := f.clients.Get(ctx, secret, "", time.Time{})
		left <- err
	}()
	<-held
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) { // while the vault is still silent
		t.Errorf("got %v, want the context's error", err)
	}
	release()
	if got, err := f.clients.Get(t.Context(), secret, "", time.Time{}); err != nil || string(got.Value) != secretValue {
		t.Errorf("got %q, error %v, want the answer", got.Value, err)
	}
	if got := f.vault.Stats().Requests; got != 1 {
		t.Errorf("got %d requests, want 1: the answer that the first caller wanted", got)
	}
}

// lateReader is a context whose owner comes to read the answer when it has just been forgotten.
type lateReader struct {
	context.Context
	late func()
}

// Done implements context.Context.
func (l lateReader) Done() <-chan struct{} {
	l.late()
	return l.Context.Done()
}

func TestAnAnswerThatIsForgottenMeanwhileIsAskedForAgain(t *testing.T) {
	var shared responseCache
	key, calls := cacheKey{secret: SecretURL{Host: "v", Name: "word"}}, 0
	fetch := func(context.Context) (Secret, error) {
		calls++
		return Secret{Value: []byte(secretValue)}, nil
	}
	ctx := lateReader{t.Context(), sync.OnceFunc(func() {
		current := shared.join(t.Context(), key, time.Time{}, fetch)
		<-current.done
		shared.evict(key, current)
		if !bytes.Equal(current.secret.Value, nil) {
			t.Error("the forgotten answer still holds its value")
		}
	})}
	got, err := shared.get(ctx, key, time.Time{}, fetch)
	if err != nil || string(got.Value) != secretValue || calls != 2 {
		t.Errorf("got %q, error %v after %d calls, want the second call's answer", got.Value, err, calls)
	}
}

func TestAnAnswerIsOverwrittenWhenItIsForgotten(t *testing.T) {
	value := []byte(secretValue)
	current := &cachedResponse{secret: Secret{Value: value}}
	key := cacheKey{secret: SecretURL{Host: "v", Name: "word"}}
	shared := responseCache{byKey: map[cacheKey]*cachedResponse{key: current}}
	shared.evict(key, current)
	if !bytes.Equal(value, make([]byte, len(value))) || len(shared.byKey) != 0 {
		t.Errorf("got %q and %d answers, want zeros and none", value, len(shared.byKey))
	}
}
