package keyvault

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/circuit"
)

// gate stands before one vault, or one identity's token service: what it told one request holds for all.
type gate struct {
	mu      sync.Mutex
	circuit circuit.Circuit
	err     error // what opened the circuit, settled

	room   room
	budget *rate.Limiter
	turns  *rate.Limiter // the budget without its burst: when to come back
}

// closedError says that nobody was asked, because of what another request met.
type closedError struct {
	cause error
	wait  time.Duration
}

// Error implements error.
func (e *closedError) Error() string { return e.cause.Error() }

// Unwrap returns what the other request met.
func (e *closedError) Unwrap() error { return e.cause }

// admit lets a request through, or returns a closedError. Who is let through calls conclude.
func (g *gate) admit(now time.Time) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if wait := g.circuit.Admit(now, rand.Float64()); wait > 0 {
		return &closedError{cause: g.err, wait: wait}
	}
	return nil
}

// afford takes one request from the budget, or returns when its turn will be.
func (g *gate) afford(now time.Time) error {
	if g.budget.AllowN(now, 1) {
		return nil
	}
	one := time.Duration(float64(time.Second) / float64(g.turns.Limit()))
	return &Busy{After: g.turns.ReserveN(now, 1).DelayFrom(now) + one}
}

// conclude takes down what became of a request, and returns how long the gate stays closed, 0 if it is open.
func (g *gate) conclude(began, now time.Time, err error, certain bool) time.Duration {
	if err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.circuit.Succeed(began)
		return 0
	}
	return g.fail(now, err, circuit.Failure{Began: began, Certain: certain})
}

// refuse records that a credential or a token was refused.
func (g *gate) refuse(began, now time.Time, err error) {
	_ = g.fail(now, err, circuit.Failure{Began: began, Refused: true})
}

func (g *gate) fail(now time.Time, err error, failure circuit.Failure) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	var refusal *refusalError
	if errors.As(err, &refusal) {
		failure.RetryAfter = retryAfterOf(refusal.header, now)
		failure.Certain = failure.Certain || refusal.status == http.StatusTooManyRequests
	}
	wait := g.circuit.Fail(now, failure, rand.Float64())
	if !g.circuit.Closed() {
		g.err = err
	}
	return wait
}

// release takes down that a request which was let through at a time has said nothing about what is behind the gate.
func (g *gate) release(began time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.circuit.Release(began)
}

// patience is how long a caller waits for an answer. Key Vault answers in milliseconds; when it has been silent for some
// seconds it is taken for ill, and nobody stands waiting but the one who finds out whether it is well again.
const patience = 5 * time.Second

// closed reports whether the vault is ill, so that one request at a time finds out.
func (g *gate) closed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.circuit.Closed()
}

// silence is what a vault meets that has not answered for as long as anyone waits.
func silence(authority string) error {
	return &wireError{host: authority, cause: os.ErrDeadlineExceeded}
}

// blamed is what a failure concerns.
type blamed int

const (
	nothing     blamed = iota
	theVault           // which is ill
	theLogin           // the identity's token service, which is ill
	theIdentity        // which is refused everywhere
	theToken           // which this vault refuses, or cannot be had for it
)

// blame says what a failure concerns. A secret that a person has to repair closes nothing: it is polled rarely enough, and
// the polls must show that it was repaired. A refused credential is another matter: each attempt counts towards a lock-out.
func blame(authority string, err error) blamed {
	var wire *wireError
	var refusal *refusalError
	switch {
	case errors.As(err, &wire):
		switch reason, _ := networkProblem(wire.host, wire.cause); {
		case reason.Class() != v1alpha1.ClassTransient:
			return nothing
		case wire.host == authority:
			return theVault
		}
		return theLogin
	case errors.As(err, &refusal):
		return blameRefusal(refusal)
	}
	return nothing
}

// blameRefusal goes by status and OAuth error code, never by text.
func blameRefusal(refusal *refusalError) blamed {
	switch ill := passing(refusal); {
	case ill && refusal.login:
		return theLogin
	case ill:
		return theVault
	case refusal.login && !refusal.ofVault:
		return theIdentity
	case refusal.login || refusal.status == http.StatusUnauthorized:
		return theToken
	}
	return nothing
}
