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
			defer clear(got[i].Value[:1]) // as its owner; the values of other callers must not change
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

func TestAnOlderResponseIsNotShared(t *testing.T) {
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
		t.Errorf("got %d requests, want 2: the later ones share the second response", got)
	}
}

func TestACancelledCallerReturnsAtOnceAndTheOthersGetTheResponse(t *testing.T) {
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
		t.Errorf("got %q, error %v, want the response", got.Value, err)
	}
	if got := f.vault.Stats().Requests; got != 1 {
		t.Errorf("got %d requests, want 1: the one that the first caller requested", got)
	}
}

// lateReader is a context whose owner reads the response just after its eviction.
type lateReader struct {
	context.Context
	late func()
}

// Done implements context.Context.
func (l lateReader) Done() <-chan struct{} {
	l.late()
	return l.Context.Done()
}

func TestAResponseThatIsEvictedMeanwhileIsRequestedAgain(t *testing.T) {
	var shared responseCache
	key, calls := request{secret: SecretURL{Host: "v", Name: "word"}}, 0
	fetch := func(context.Context) (Secret, error) {
		calls++
		return Secret{Value: []byte(secretValue)}, nil
	}
	ctx := lateReader{t.Context(), sync.OnceFunc(func() {
		current := shared.join(t.Context(), key, time.Time{}, fetch)
		<-current.done
		shared.evict(key, current)
		if !bytes.Equal(current.secret.Value, nil) {
			t.Error("the evicted response still holds its value")
		}
	})}
	got, err := shared.get(ctx, key, time.Time{}, fetch)
	if err != nil || string(got.Value) != secretValue || calls != 2 {
		t.Errorf("got %q, error %v after %d calls, want the second call's response", got.Value, err, calls)
	}
}

func TestAResponseIsOverwrittenWhenItIsEvicted(t *testing.T) {
	value := []byte(secretValue)
	current := &cachedResponse{secret: Secret{Value: value}}
	key := request{secret: SecretURL{Host: "v", Name: "word"}}
	shared := responseCache{byKey: map[request]*cachedResponse{key: current}}
	shared.evict(key, current)
	if !bytes.Equal(value, make([]byte, len(value))) || len(shared.byKey) != 0 {
		t.Errorf("got %q and %d responses, want zeros and none", value, len(shared.byKey))
	}
}
