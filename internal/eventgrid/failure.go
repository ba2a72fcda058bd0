package eventgrid

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Reason is why events are not received.
type Reason string

// The reasons, also values of the label result.
const (
	// NotFound is a topic or event subscription that does not exist, or no longer.
	NotFound Reason = "not_found"
	// AccessDenied is a missing role.
	AccessDenied Reason = "access_denied"
	// AuthenticationFailed is an identity that gets no token, or whose token is refused.
	AuthenticationFailed Reason = "authentication_failed"
	// Throttled is a limit of the namespace.
	Throttled Reason = "throttled"
	// Unreachable is an endpoint or token service that does not respond, or is out of service.
	Unreachable Reason = "unreachable"
	// Refused is any other response.
	Refused Reason = "refused"
)

// Reasons are all reasons.
var Reasons = []Reason{NotFound, AccessDenied, AuthenticationFailed, Throttled, Unreachable, Refused}

// failure is a round without success. The message has the cause and what to do, and is equal for equal causes.
type failure struct {
	reason     Reason
	message    string
	retryAfter time.Duration
}

// explain turns a settled error into a failure.
func explain(at endpoint, err error) failure {
	var broken *exchange.BrokenError
	var refusal *exchange.RefusalError
	var explained *exchange.ExplainedError
	switch {
	case errors.As(err, &explained):
		return failure{reason: AuthenticationFailed, message: explained.Text}
	case errors.As(err, &broken):
		return explainNetwork(at, broken)
	case errors.As(err, &refusal) && refusal.TokenService:
		return explainTokenService(refusal)
	case errors.As(err, &refusal):
		return explainResponse(at, refusal)
	case errors.Is(err, context.DeadlineExceeded):
		return explainNetwork(at, &exchange.BrokenError{Host: at.authority(), Cause: err})
	default:
		return failure{reason: AuthenticationFailed, message: auth.ExplainError(err)}
	}
}

func explainNetwork(at endpoint, broken *exchange.BrokenError) failure {
	reason, why := exchange.Diagnose(broken.Host, broken.Cause)
	ours := broken.Host == at.authority()
	switch {
	case reason == v1alpha1.ReasonVaultNotFound && ours:
		why = "the host name does not resolve; check --event-grid-endpoint, and the DNS zone of the namespace's private endpoint if it has one"
	case reason == v1alpha1.ReasonVaultNotFound:
		why = "the host name does not resolve; check AZURE_AUTHORITY_HOST and the pod's name servers"
	case exchange.IsForeign(broken.Cause) && ours:
		why = "the response is not Event Grid's JSON; check what is between the pod and Event Grid, such as a web proxy or a sign-in page"
	case exchange.IsTooLarge(broken.Cause):
		why = "the events are larger than 2 MiB together; fewer are received at a time"
	}
	if !ours {
		why = "token service " + broken.Host + ": " + why
	}
	return failure{reason: Unreachable, message: why}
}

func explainTokenService(refusal *exchange.RefusalError) failure {
	if !exchange.Outage(refusal) {
		text, _ := auth.ExplainRefusal(refusal)
		return failure{reason: AuthenticationFailed, message: text}
	}
	reason := Unreachable
	if refusal.Status == http.StatusTooManyRequests {
		reason = Throttled
	}
	return failure{
		reason: reason, message: fmt.Sprintf("the token service answered HTTP %d at %s", refusal.Status, refusal.URL),
		retryAfter: exchange.RetryAfter(refusal.Header, time.Now()),
	}
}

// explainResponse is for a refusal of Event Grid. Its error has a code and a message.
func explainResponse(at endpoint, refusal *exchange.RefusalError) failure {
	var body struct {
		Error struct{ Code, Message string }
	}
	_ = json.Unmarshal(refusal.Body, &body) // a body of another kind has no code, and the status decides
	message := strings.TrimSpace(fmt.Sprintf("HTTP %d %s", refusal.Status, exchange.OneLine(body.Error.Code)))
	if text := exchange.Gist(body.Error.Message); text != "" {
		message += ": " + text
	}
	reason := reasonFor(refusal.Status, body.Error.Message)
	if advice := adviceFor(reason, at); advice != "" {
		message += "; " + advice
	}
	return failure{reason: reason, message: message, retryAfter: exchange.RetryAfter(refusal.Header, time.Now())}
}

// reasonFor goes by the status. Only for 401, which Event Grid also answers if a role is missing, the message decides
// (https://github.com/Azure/azure-sdk-for-net/issues/40812, https://github.com/Azure/azure-sdk-for-net/issues/22831).
func reasonFor(status int, message string) Reason {
	switch {
	case status == http.StatusUnauthorized && strings.Contains(message, "permission"), status == http.StatusForbidden:
		return AccessDenied
	case status == http.StatusUnauthorized:
		return AuthenticationFailed
	case status == http.StatusNotFound || status == http.StatusGone:
		return NotFound
	case status == http.StatusTooManyRequests:
		return Throttled
	case status == http.StatusRequestTimeout || status >= http.StatusInternalServerError:
		return Unreachable
	default:
		return Refused
	}
}

// adviceFor returns what a person does about a refusal of Event Grid.
func adviceFor(reason Reason, at endpoint) string {
	switch reason {
	case NotFound:
		return "create the topic and its event subscription with pull delivery, or correct --event-grid-topic and --event-grid-subscription"
	case AccessDenied:
		return "grant \"EventGrid Data Receiver\" on the topic or the namespace to " + caller() + ", and allow the cluster's outbound address in the namespace's networking settings; a new role assignment takes effect after some minutes"
	case AuthenticationFailed:
		return "check that " + caller() + " belongs to the namespace's tenant and has \"EventGrid Data Receiver\" there, and the clock of the node"
	case Refused:
		return "check that " + at.authority() + " is the endpoint of an Event Grid namespace"
	default:
		return ""
	}
}

// caller returns the name of the identity in messages.
func caller() string {
	if id := auth.ClientIDOf(""); id != "" {
		return "client id " + truncate.Line(id, exchange.MaxID)
	}
	return "the controller's identity"
}
