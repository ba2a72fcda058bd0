package keyvault

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/breaker"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// testClock is a clock that a test advances.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

// Now returns the time.
func (h *testClock) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *testClock) pass(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// newTimed returns a fixture whose clients use a clock of their own.
func newTimed(t *testing.T, change func(*Options)) (*fixture, *testClock) {
	t.Helper()
	f := newFixture(t)
	clock := &testClock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	options := f.options()
	options.Now = clock.Now
	if change != nil {
		change(&options)
	}
	f.clients, f.wire = newClients(t, options)
	return f, clock
}

// wants reads a number of secrets of a vault, one after another, and checks that each fails with the reason.
func (f *fixture) wants(t *testing.T, vault *vaulttest.Vault, reason v1alpha1.Reason, count int) (last *Failure) {
	t.Helper()
	for i := range count {
		name := fmt.Sprintf("other-%d", i)
		_, err := f.read(t, vault, name)
		last = f.wantFailure(t, err, urlOf(t, vault.SecretURL(name)), reason)
	}
	return last
}

func (f *fixture) saw(t *testing.T, vault *vaulttest.Vault, want int) {
	t.Helper()
	if got := vault.Stats().Requests; got != want {
		t.Errorf("the vault saw %d requests, want %d", got, want)
	}
}

func TestTheBreakerOpensForAllCertificatesOfAVaultThatThrottles(t *testing.T) {
	f, clock := newTimed(t, nil)
	ops := f.server.Vault("ops")
	f.vault.Throttle(10*time.Minute, true, -1) // longer than the SDK would accept
	first := f.wants(t, f.vault, v1alpha1.ReasonThrottled, 1)
	if first.RetryAfter != 10*time.Minute {
		t.Errorf("got Retry-After %s, want the vault's", first.RetryAfter)
	}
	if last := f.wants(t, f.vault, v1alpha1.ReasonThrottled, 100); last.RetryAfter < 10*time.Minute {
		t.Errorf("a request that was not sent retries after %s, want no less than the vault asked for", last.RetryAfter)
	}
	f.saw(t, f.vault, 1) // and the SDK has not repeated it
	if _, err := f.read(t, ops, "word"); err != nil {
		t.Errorf("the other vault: %v", err)
	}

	clock.pass(12 * time.Minute)
	_ = f.wants(t, f.vault, v1alpha1.ReasonThrottled, 100) // one of them has probed
	f.saw(t, f.vault, 2)
	f.vault.Heal()
	clock.pass(12 * time.Minute)
	_ = f.mustRead(t)
	_ = f.wants(t, f.vault, v1alpha1.ReasonSecretNotFound, 10)
	f.saw(t, f.vault, 13)
	if stats := f.vault.Stats(); stats.Unauthorized != 1 || stats.Connections != 1 {
		t.Errorf("got %+v, want one challenge and one connection", stats)
	}
}

func TestOneRequestAtATimeProbes(t *testing.T) {
	f, clock := newTimed(t, nil)
	_ = f.mustRead(t)
	f.vault.Throttle(0, false, 1)
	_ = f.wants(t, f.vault, v1alpha1.ReasonThrottled, 1)
	clock.pass(time.Minute)
	held, release := f.wire.hold()
	defer release()
	done := make(chan error, 1)
	go func() {
		_, err := f.clients.Get(t.Context(), urlOf(t, f.vault.SecretURL("word")), "", time.Now())
		done <- err
	}()
	<-held
	_ = f.wants(t, f.vault, v1alpha1.ReasonThrottled, 20)
	release()
	check(t, <-done)
	_ = f.wants(t, f.vault, v1alpha1.ReasonSecretNotFound, 3)
	f.saw(t, f.vault, 6)
}

func TestADeadVaultIsTriedThreeTimes(t *testing.T) {
	f, clock := newTimed(t, nil)
	var tried atomic.Int32
	f.clients.transport.Observe = func(code string, _ time.Duration) {
		if code == "error" {
			tried.Add(1)
		}
	}
	f.vault.Stop()
	_ = f.wants(t, f.vault, v1alpha1.ReasonVaultUnreachable, 100)
	if got := tried.Load(); got != 3 {
		t.Errorf("got %d auth.ExplainError, want 3", got)
	}
	if _, err := f.read(t, f.server.Vault("ops"), "word"); err != nil {
		t.Errorf("the other vault: %v", err)
	}
	check(t, f.vault.Start())
	clock.pass(time.Minute)
	_ = f.mustRead(t)
}

// A vault that does not exist yet is resolved at each attempt, and found as soon as it exists.
func TestAVaultThatDoesNotExistYetIsResolvedAtEachAttempt(t *testing.T) {
	f, _ := newTimed(t, nil)
	secret := urlOf(t, "https://"+strings.Repeat("x", 64)+".vault.azure.net/secrets/word") // no name server is asked
	for range 10 {
		_, err := f.clients.Get(t.Context(), secret, "", time.Now())
		_ = f.wantFailure(t, err, secret, v1alpha1.ReasonVaultNotFound)
	}
	if !f.clients.targets.Get(secret.Authority()).Breaker.Closed() {
		t.Error("the breaker is open")
	}
}

// The token service belongs to the identity. If it is down, other identities can still read the vault.
func TestATokenServiceThatIsDownOpensNoVaultsBreaker(t *testing.T) {
	f, _ := newTimed(t, nil)
	setEnvironment(t, federated(t, f.server))
	_ = f.mustRead(t) // this identity has its token
	loginAnswers(http.StatusTooManyRequests, "application/json", `{"error":"temporarily_unavailable"}`)(t, f)
	var refused atomic.Int32
	f.clients.transport.Observe = func(code string, _ time.Duration) {
		if code == "429" {
			refused.Add(1)
		}
	}
	secret := urlOf(t, f.vault.SecretURL("word"))
	for range 20 {
		_, err := f.clients.Get(t.Context(), secret, "11111111-2222-3333-4444-555555555555", time.Now())
		_ = f.wantFailure(t, err, secret, v1alpha1.ReasonThrottled, "token service")
	}
	if got := refused.Load(); got != 1 {
		t.Errorf("the token service got %d requests, want once", got)
	}
	_ = f.mustRead(t)
	if got := f.vault.Stats().Unauthorized; got != 2 {
		t.Errorf("got %d answers 401, want one for each identity", got)
	}
}

// A vault that refuses the token no longer throttles, and must not be reported as throttling.
func TestAVaultThatRefusesInItsOwnFormatIsHealthy(t *testing.T) {
	f, clock := newTimed(t, nil)
	_ = f.mustRead(t)
	f.vault.Throttle(0, false, 1)
	_ = f.wants(t, f.vault, v1alpha1.ReasonThrottled, 1)
	clock.pass(time.Minute)
	f.vault.Refuse(vaulttest.WrongIssuer, -1)
	_ = f.wants(t, f.vault, v1alpha1.ReasonAuthenticationFailed, 1)
	if !f.clients.targets.Get(urlOf(t, f.vault.SecretURL("word")).Authority()).Breaker.Closed() {
		t.Error("the vault's breaker is still open")
	}
}

// A refused credential is no outage: the message is the refusal's, and so is the wait.
func TestARefusedCredentialReplacesAnOutage(t *testing.T) {
	targets, now := breaker.NewTargets(10, 0), time.Now()
	one := attempt{vault: targets.Get("shop"), tokenService: targets.Get("login"), token: targets.Get("token")}
	_ = fail(one.tokenService, now, &exchange.RefusalError{TokenService: true, Status: http.StatusTooManyRequests}, breaker.Failure{Began: now})
	now = now.Add(time.Minute)
	one.record(now, now, "shop", &exchange.RefusalError{TokenService: true, Status: http.StatusUnauthorized, Body: []byte(`{"error":"invalid_client"}`)})
	var shared *exchange.SharedError
	if err := one.begin(now); !errors.As(err, &shared) || shared.Wait < 30*time.Second || !strings.Contains(shared.Error(), "401") {
		t.Errorf("got %v, want the refusal for at least half a minute", err)
	}
}

func TestARequestThatIsNotAdmittedDoesNotEndAProbe(t *testing.T) {
	targets, now := breaker.NewTargets(10, 0), time.Now()
	login := targets.Get("login")
	_ = fail(login, now, &exchange.RefusalError{TokenService: true, Status: http.StatusTooManyRequests}, breaker.Failure{Began: now})
	now = now.Add(time.Hour)
	check(t, attempt{vault: targets.Get("shop"), tokenService: login, token: targets.Get("token")}.begin(now)) // probes
	for range 4 {
		if err := (attempt{vault: targets.Get("shop"), tokenService: login, token: targets.Get("token")}).begin(now); !errors.As(err, new(*exchange.SharedError)) {
			t.Errorf("got %v, want one request at a time", err)
		}
	}
}

func TestTheBudgetOfAVaultIsKept(t *testing.T) {
	f, clock := newTimed(t, func(o *Options) { o.RequestsPerSecond = 2 })
	waits := make(map[time.Duration]bool)
	ask := func(requests int) (answered int) {
		for i := range requests {
			_, err := f.read(t, f.vault, fmt.Sprintf("word-%d", i))
			var deferred *Deferred
			if !errors.As(err, &deferred) {
				answered++
				continue
			}
			waits[deferred.After] = true
		}
		return answered
	}
	if got := ask(50); got != 20 {
		t.Errorf("%d of 50 requests were sent, want ten seconds' worth of two a second", got)
	}
	if len(waits) != 30 || !waits[500*time.Millisecond] || !waits[15*time.Second] {
		t.Errorf("the others retry after %v, want one each half a second", waits)
	}
	if _, err := f.read(t, f.server.Vault("ops"), "word"); err != nil {
		t.Errorf("the other vault: %v", err)
	}
	clock.pass(3 * time.Second)
	if got := ask(50); got != 6 {
		t.Errorf("%d requests were sent after three seconds, want 6", got)
	}
	f.saw(t, f.vault, 26)
}

// A caller that accepts any recent response must not share a deferral whose time has passed meanwhile.
func TestADeferralIsNotShared(t *testing.T) {
	f, clock := newTimed(t, func(o *Options) { o.RequestsPerSecond = 1 })
	word := urlOf(t, f.vault.SecretURL("word"))
	for range 10 {
		_ = f.mustRead(t)
	}
	if _, err := f.clients.Get(t.Context(), word, "", time.Now()); !errors.As(err, new(*Deferred)) {
		t.Fatalf("got %v, want a Deferred", err)
	}
	clock.pass(2 * time.Second)
	if _, err := f.clients.Get(t.Context(), word, "", time.Time{}); err != nil {
		t.Errorf("got %v", err)
	}
}

// Ten certificates wait for the first login. Its failure is one failure, which does not open the breaker.
func TestASharedFailureCountsOnce(t *testing.T) {
	f := newFixture(t)
	f.vault.Stop()
	synctest.Test(t, func(t *testing.T) {
		f.clients, f.wire = newClients(t, f.options())
		held, release := f.wire.hold()
		errs := make(chan error, 10)
		for i := range 10 {
			secret := urlOf(t, f.vault.SecretURL(fmt.Sprintf("word-%d", i)))
			go func() {
				_, err := f.clients.Get(t.Context(), secret, "", time.Now())
				errs <- err
			}()
		}
		<-held
		synctest.Wait() // nine wait for the first
		release()
		for range 10 {
			if err := <-errs; !errors.As(err, new(*Failure)) {
				t.Errorf("got %v, want a Failure", err)
			}
		}
		if !f.clients.targets.Get(urlOf(t, f.vault.SecretURL("word")).Authority()).Breaker.Closed() {
			t.Error("the breaker is open")
		}
	})
}
