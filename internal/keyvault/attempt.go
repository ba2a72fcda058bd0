package keyvault

import (
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/breaker"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// attempt is one request and the breakers that admit it: of its vault, of its identity's token service, and of the vault's
// acceptance of that identity's tokens.
type attempt struct{ vault, tokenService, token *breaker.Target }

// begin asks the breakers and takes one request from the vault's budget. It returns a SharedError or a Deferred if the request
// must not be sent. Otherwise the caller calls release at the end.
func (a attempt) begin(now time.Time) error {
	admitted := make([]*breaker.Target, 0, 3)
	release := func() {
		for _, target := range admitted { // not the one that is open: another request may be probing it
			target.Breaker.Release(now)
		}
	}
	for _, target := range []*breaker.Target{a.vault, a.tokenService, a.token} {
		if wait, cause := target.Breaker.Admit(now); wait > 0 {
			release()
			return &exchange.SharedError{Cause: cause, Wait: wait}
		}
		admitted = append(admitted, target)
	}
	err := a.vault.Budget.Take(now)
	if err != nil {
		release()
	}
	return err
}

// release gives back the admissions for which no outcome was recorded, also after a panic of the SDK.
func (a attempt) release(began time.Time) {
	a.vault.Breaker.Release(began)
	a.tokenService.Breaker.Release(began)
	a.token.Breaker.Release(began)
}

// record records the outcome of the request. A response about the secret, even a refusal, means that all targets are healthy.
func (a attempt) record(began, now time.Time, authority string, err error) {
	if errors.As(err, new(*exchange.SharedError)) { // the other request has recorded it
		return
	}
	switch attribute(authority, err) {
	case toVault:
		_ = fail(a.vault, now, err, breaker.Failure{Began: began}) // the wait is returned to callers that come too early
	case toTokenService:
		_ = fail(a.tokenService, now, err, breaker.Failure{Began: began})
	case toIdentity:
		_ = fail(a.tokenService, now, err, breaker.Failure{Began: began, Refused: true})
	case toToken:
		a.recordRefusedToken(began, now, err)
	case toNone:
		if pastChallenge(err) {
			a.tokenService.Breaker.Succeed(began)
			a.token.Breaker.Succeed(began)
			a.vault.Breaker.Succeed(began)
		}
	}
}

// recordRefusedToken records that the token is refused, or refused for this vault. A server that refuses in its own format is
// healthy.
func (a attempt) recordRefusedToken(began, now time.Time, err error) {
	_ = fail(a.token, now, err, breaker.Failure{Began: began, Refused: true})
	var refusal *exchange.RefusalError
	switch errors.As(err, &refusal); {
	case refusal.TokenService:
		a.tokenService.Breaker.Succeed(began)
	case vaultErrorOf(refusal.Body).Error.Code != "":
		a.vault.Breaker.Succeed(began)
	}
}

// fail records a failure of a target, with what the response says about the wait. It returns the time until the next probe.
func fail(target *breaker.Target, now time.Time, err error, failure breaker.Failure) time.Duration {
	var refusal *exchange.RefusalError
	if errors.As(err, &refusal) {
		failure.RetryAfter = exchange.RetryAfter(refusal.Header, now)
		failure.Certain = failure.Certain || refusal.Status == http.StatusTooManyRequests
	}
	return target.Breaker.Fail(now, failure, err)
}

// silentError is the failure of a host that did not respond within callerTimeout.
func silentError(authority string) error {
	return &exchange.BrokenError{Host: authority, Cause: os.ErrDeadlineExceeded}
}

// attribution is the target to which a failure is attributed.
type attribution int

const (
	toNone         attribution = iota
	toVault                    // which is unhealthy
	toTokenService             // of the identity, which is unhealthy
	toIdentity                 // which is refused for every vault
	toToken                    // which this vault refuses, or which is not issued for it
)

// attribute returns the target to which a failure is attributed. A secret that a person has to fix opens no breaker: it is polled
// rarely enough, and the polls must find the fix. A refused credential is different: each attempt counts towards a lock-out.
func attribute(authority string, err error) attribution {
	var broken *exchange.BrokenError
	var refusal *exchange.RefusalError
	switch {
	case errors.As(err, &broken):
		switch reason, _ := exchange.Diagnose(broken.Host, broken.Cause); {
		case reason.Class() != v1alpha1.ClassTransient:
			return toNone
		case broken.Host == authority:
			return toVault
		}
		return toTokenService
	case errors.As(err, &refusal):
		return attributeRefusal(refusal)
	}
	return toNone
}

// attributeRefusal goes by status and OAuth error code, never by text.
func attributeRefusal(refusal *exchange.RefusalError) attribution {
	switch outage := exchange.Outage(refusal); {
	case outage && refusal.TokenService:
		return toTokenService
	case outage:
		return toVault
	case refusal.TokenService && !refusal.ForVault:
		return toIdentity
	case refusal.TokenService || refusal.Status == http.StatusUnauthorized:
		return toToken
	}
	return toNone
}

// explainUnsent explains why a request was not sent: the failure of another one holds for it. A Deferred is returned as it is.
func explainUnsent(of request, err error) error {
	var shared *exchange.SharedError
	if errors.As(err, &shared) {
		return classifyWithWait(of, shared.Cause, shared.Wait)
	}
	return err
}
