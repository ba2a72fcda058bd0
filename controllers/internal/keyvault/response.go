package keyvault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// vaultError is the body of Key Vault's error answers
// (https://learn.microsoft.com/azure/key-vault/general/rest-error-codes). encoding/json matches names without regard to
// case, and both innererror and innerError occur.
type vaultError struct {
	Error struct {
		Code       string `json:"code"`
		Message    string `json:"message"`
		InnerError struct {
			Code string `json:"code"`
		} `json:"innererror"`
	} `json:"error"`
}

func responseFault(secret SecretURL, clientID string, answer *refusalError) *Fault {
	var body vaultError
	_ = json.Unmarshal(answer.body, &body) // a body of another kind leaves the status code to speak
	inner := body.Error.InnerError.Code
	if inner == "" {
		inner = body.Error.Code
	}
	reason := reasonFor(answer.status, inner, body.Error.Message)
	message := fmt.Sprintf("reading secret %q from %s: HTTP %d %s", secret.Name, secret.Authority(), answer.status, oneLine(inner))
	if text := oneLine(body.Error.Message); text != "" {
		message += ": " + text
	}
	if advice := adviceFor(reason, clientID); advice != "" {
		message += "; " + advice
	}
	if requestID := oneLine(answer.header.Get("x-ms-request-id")); requestID != "" {
		message += " (request " + requestID + ")"
	}
	return &Fault{Reason: reason, Message: message, RetryAfter: retryAfterOf(answer.header, time.Now())}
}

// reasonFor maps Key Vault's answer to a reason. Where one code stands for several causes, which Key Vault then tells
// apart in prose only, the message decides.
func reasonFor(status int, inner, message string) v1alpha1.Reason {
	// Only the first line: the others name the caller, the vault and the secret, whose name can hold any of these words.
	message, _, _ = strings.Cut(strings.ToLower(message), "\n")
	switch {
	case status == http.StatusUnauthorized:
		return v1alpha1.ReasonAuthenticationFailed
	case inner == "ForbiddenByFirewall" || inner == "ForbiddenByConnection":
		return v1alpha1.ReasonAccessDeniedByFirewall
	case inner == "ForbiddenByRbac" || inner == "ForbiddenByPolicy" || inner == "AccessDenied": // the message names the secret, which may be called anything
		return v1alpha1.ReasonAccessDenied
	case status == http.StatusForbidden && strings.Contains(message, "not yet valid"):
		return v1alpha1.ReasonSecretNotYetValid
	case status == http.StatusForbidden && strings.Contains(message, "expired"):
		return v1alpha1.ReasonExpired
	case inner == "SecretDisabled" || (status == http.StatusForbidden && strings.Contains(message, "disabled")):
		return v1alpha1.ReasonSecretDisabled
	case status == http.StatusForbidden:
		return v1alpha1.ReasonAccessDenied
	case status == http.StatusNotFound || status == http.StatusConflict:
		return v1alpha1.ReasonSecretNotFound
	case status == http.StatusTooManyRequests:
		return v1alpha1.ReasonThrottled
	default:
		return v1alpha1.ReasonVaultUnreachable
	}
}

func adviceFor(reason v1alpha1.Reason, clientID string) string {
	switch reason {
	case v1alpha1.ReasonAccessDenied:
		return fmt.Sprintf("grant the role \"Key Vault Secrets User\" to %s", identityName(clientID))
	case v1alpha1.ReasonSecretDisabled:
		return "enable that version in the vault or create a new one"
	case v1alpha1.ReasonAccessDeniedByFirewall:
		return "allow the nodes' subnet in the vault's networking settings"
	default:
		return ""
	}
}

// retryAfterOf reads how long the server wants to be left alone: Azure's millisecond headers, else Retry-After in seconds
// or as a date (RFC 9110, section 10.2.3).
func retryAfterOf(header http.Header, now time.Time) time.Duration {
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if milliseconds, err := strconv.ParseInt(header.Get(name), 10, 32); err == nil && milliseconds > 0 {
			return time.Duration(milliseconds) * time.Millisecond
		}
	}
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil && seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil && date.After(now) {
		return date.Sub(now)
	}
	return 0
}
