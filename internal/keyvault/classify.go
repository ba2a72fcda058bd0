package keyvault

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// classify turns a settled error into a Failure. An error that is neither a broken exchange nor a refusal comes from a
// challenge that cannot be met, or from a credential that cannot be made.
func classify(of request, err error) error {
	var broken *exchange.BrokenError
	var refusal *exchange.RefusalError
	var explained *exchange.ExplainedError
	switch {
	case errors.As(err, &explained):
		return authenticationFailure(of, explained.Text)
	case errors.As(err, &broken):
		return networkFailure(of, broken.Host, broken.Cause)
	case errors.As(err, &refusal) && refusal.TokenService:
		return tokenFailure(of, refusal)
	case errors.As(err, &refusal):
		return responseFailure(of, refusal)
	case errors.Is(err, context.DeadlineExceeded):
		return networkFailure(of, of.secret.Authority(), err)
	default:
		return authenticationFailure(of, auth.ExplainError(err))
	}
}

// classifyWithWait classifies a settled error. The next attempt comes no sooner than the vault's breaker admits one.
func classifyWithWait(of request, err error, wait time.Duration) error {
	err = classify(of, err)
	var failure *Failure
	if errors.As(err, &failure) {
		failure.RetryAfter = max(failure.RetryAfter, wait)
	}
	return err
}

func networkFailure(of request, host string, cause error) *Failure {
	reason, why := exchange.Diagnose(host, cause)
	if host != of.secret.Authority() && reason == v1alpha1.ReasonVaultNotFound {
		reason = v1alpha1.ReasonVaultUnreachable // the vault itself may well exist
		why = "the host name does not resolve; check AZURE_AUTHORITY_HOST and the node's name servers"
	}
	if host != of.secret.Authority() {
		why = "token service " + host + ": " + why
	}
	failure := &Failure{Reason: reason, Message: about(of) + why}
	if reason == v1alpha1.ReasonTLSFailure {
		failure.Detail = "the node's clock says " + exchange.Stamp(time.Now())
	}
	return failure
}

func authenticationFailure(of request, why string) *Failure {
	return &Failure{
		Reason:  v1alpha1.ReasonAuthenticationFailed,
		Message: about(of) + "authenticating: " + why,
	}
}

// tokenFailure is for a refusal of the token service. One that throttles or is out of service is retried like a vault.
func tokenFailure(of request, refusal *exchange.RefusalError) *Failure {
	if !exchange.Outage(refusal) {
		text, detail := auth.ExplainRefusal(refusal)
		failure := authenticationFailure(of, text)
		failure.Detail, failure.RequestID = detail, requestID(refusal)
		return failure
	}
	failure := &Failure{
		Reason:     v1alpha1.ReasonVaultUnreachable,
		Message:    about(of) + fmt.Sprintf("the token service answered HTTP %d at %s; %s", refusal.Status, refusal.URL, of.retryAdvice()),
		RequestID:  requestID(refusal),
		RetryAfter: exchange.RetryAfter(refusal.Header, time.Now()),
	}
	if refusal.Status == http.StatusTooManyRequests {
		failure.Reason = v1alpha1.ReasonThrottled
	}
	return failure
}
