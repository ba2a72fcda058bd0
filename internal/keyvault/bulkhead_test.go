package keyvault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// The workers process certificates in order: thirty of a vault that hangs, and thirty of another.
func TestAVaultThatHangsDoesNotOccupyAllWorkers(t *testing.T) {
	const workers, each = 10, 30
	f, _ := newTimed(t, func(o *Options) { o.Workers = workers })
	f.clients.timeout = time.Hour // no caller gives up, and still there are workers left
	ops := f.server.Vault("ops")
	release := f.hangs(f.vault)
	defer release()
	work, served := make(chan func(), 2*each), make(chan error, each)
	var deferred, returned sync.Map
	for i := range each {
		secret := urlOf(t, f.vault.SecretURL(fmt.Sprintf("word-%d", i)))
		work <- func() {
			if _, err := f.clients.Get(t.Context(), secret, "", time.Now()); errors.As(err, new(*Deferred)) {
				deferred.Store(i, err)
				return
			}
			returned.Store(i, true)
		}
	}
	for i := range each {
		ops.PutRaw(fmt.Sprintf("word-%d", i), "", secretValue)
		secret := urlOf(t, ops.SecretURL(fmt.Sprintf("word-%d", i)))
		work <- func() {
			_, err := f.clients.Get(t.Context(), secret, "", time.Now())
			served <- err
		}
	}
	close(work)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		runAll(work, workers)
	}()
	for range each {
		check(t, <-served) // while the other vault still hangs
	}
	if got := count(&returned); got != 0 {
		t.Errorf("%d requests to the vault that hangs returned", got)
	}
	if got := count(&deferred); got != each-8 {
		t.Errorf("%d certificates of the vault that hangs were deferred, want all but 8", got)
	}
	release()
	<-finished
}

func TestTheBreakerOpensForAVaultThatHangs(t *testing.T) {
	f, _ := newTimed(t, func(o *Options) { o.Workers = 10 })
	f.clients.timeout = 50 * time.Millisecond
	release := f.hangs(f.vault)
	defer release()
	_, errs := f.readAll(t, f.vault.URL(), 10)
	for i, err := range errs {
		if !errors.As(err, new(*Deferred)) {
			_ = f.wantFailure(t, err, urlOf(t, f.vault.SecretURL(fmt.Sprintf("word-%d", i))), v1alpha1.ReasonVaultUnreachable, "no response in time")
		}
	}
	f.clients.timeout = time.Hour // from now on no caller waits
	_ = f.wants(t, f.vault, v1alpha1.ReasonVaultUnreachable, 100)
}

// If the token service is silent, other identities can still read the vault.
func TestATokenServiceThatHangsIsDistinguishedFromTheVault(t *testing.T) {
	f, _ := newTimed(t, func(o *Options) { o.Workers = 10 })
	setEnvironment(t, federated(t, f.server))
	_ = f.mustRead(t) // the agent's own identity has its token
	f.clients.timeout = 50 * time.Millisecond
	authority := strings.TrimSuffix(authorityOf(t, f.server), "/")
	release := f.hangsAt(authority)
	defer release()
	secret := urlOf(t, f.vault.SecretURL("word"))
	for range 2 {
		_, err := f.clients.Get(t.Context(), secret, someone, time.Now())
		_ = f.wantFailure(t, err, secret, v1alpha1.ReasonVaultUnreachable, "token service "+strings.TrimPrefix(authority, "https://")+": no response in time")
	}
	f.clients.timeout = time.Minute
	_ = f.mustRead(t)
}

// hangs keeps a vault from responding until release is called.
func (f *fixture) hangs(vault *vaulttest.Vault) (release func()) { return f.hangsAt(vault.URL()) }

func (f *fixture) hangsAt(url string) (release func()) {
	released := make(chan struct{})
	next := f.wire.next
	f.wire.next = roundTrip(func(request *http.Request) (*http.Response, error) {
		if "https://"+request.URL.Host == url {
			select {
			case <-released:
			case <-request.Context().Done():
				return nil, request.Context().Err()
			}
		}
		return next.RoundTrip(request)
	})
	return sync.OnceFunc(func() { close(released) })
}

type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (r roundTrip) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func count(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}
