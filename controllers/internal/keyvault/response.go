package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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

// inner is the code that says most.
func (e *vaultError) inner() string {
	if e.Error.InnerError.Code != "" {
		return e.Error.InnerError.Code
	}
	return e.Error.Code
}

// vaultErrorOf reads an answer's body. One of another kind gives an error without code, and the status code has to speak.
func vaultErrorOf(body []byte) vaultError {
	var read vaultError
	_ = json.Unmarshal(body, &read)
	return read
}

func responseFault(secret SecretURL, clientID string, answer *refusalError) *Fault {
	body := vaultErrorOf(answer.body)
	if body.Error.Code == "" && !speaksForItself(answer.status) {
		return strangerFault(secret, clientID, answer)
	}
	inner := body.inner()
	reason := reasonFor(answer.status, inner, body.Error.Message)
	message := about(secret, clientID) + strings.TrimSpace(fmt.Sprintf("HTTP %d %s", answer.status, oneLine(inner)))
	if text := gist(body.Error.Message); text != "" {
		message += ": " + text
	}
	message += "; " + adviceFor(reason, secret, &body, clientID)
	if reason == v1alpha1.ReasonAuthenticationFailed {
		message += clockNote(answer.header, "vault")
	}
	return &Fault{
		Reason: reason, Message: message + requestNote(answer.header.Get("x-ms-request-id")),
		RetryAfter: retryAfterOf(answer.header, time.Now()),
	}
}

// speaksForItself reports whether a status means the same without Key Vault's body, whoever says it: a gateway in between
// throttles and fails too.
func speaksForItself(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// strangerFault is for an answer that Key Vault did not give: a proxy's page that blocks the site must not be taken for a
// missing role, nor a gateway's 404 for a missing secret.
func strangerFault(secret SecretURL, clientID string, answer *refusalError) *Fault {
	what := fmt.Sprintf("HTTP %d", answer.status)
	if target, err := url.Parse(answer.header.Get("Location")); err == nil && target.Host != "" {
		what += " to " + oneLine(target.Host)
	}
	return &Fault{
		Reason:     v1alpha1.ReasonVaultUnreachable,
		Message:    about(secret, clientID) + what + ", which is not Key Vault's answer; " + lookBetween,
		RetryAfter: retryAfterOf(answer.header, time.Now()),
	}
}

// reasonFor maps Key Vault's answer to a reason. Where one code stands for several causes, which Key Vault then tells
// apart in prose only, the message decides.
func reasonFor(status int, inner, message string) v1alpha1.Reason {
	switch {
	case status == http.StatusUnauthorized:
		return v1alpha1.ReasonAuthenticationFailed
	case status == http.StatusForbidden:
		return reasonForForbidden(inner, message)
	case status == http.StatusNotFound || inner == "ObjectIsDeletedButRecoverable" || inner == "ObjectIsBeingRecovered":
		return v1alpha1.ReasonSecretNotFound
	case status == http.StatusTooManyRequests:
		return v1alpha1.ReasonThrottled
	case status == http.StatusRequestTimeout || status == http.StatusConflict || status/100 != 4:
		return v1alpha1.ReasonVaultUnreachable
	default:
		return v1alpha1.ReasonBadRequest
	}
}

func reasonForForbidden(inner, message string) v1alpha1.Reason {
	switch inner {
	case "ForbiddenByFirewall", "ForbiddenByConnection":
		return v1alpha1.ReasonAccessDeniedByFirewall
	case "ForbiddenByRbac", "ForbiddenByPolicy", "AccessDenied": // the message names the secret, which may be called anything
		return v1alpha1.ReasonAccessDenied
	case "SecretDisabled":
		return v1alpha1.ReasonSecretDisabled
	}
	// Only the first line: the others name the caller, the vault and the secret, whose name can hold any of these words.
	message, _, _ = strings.Cut(strings.ToLower(message), "\n")
	for _, known := range []struct {
		words  string
		reason v1alpha1.Reason
	}{
		{"not yet valid", v1alpha1.ReasonSecretNotYetValid},
		{"expired secret", v1alpha1.ReasonExpired},
		{"disabled secret", v1alpha1.ReasonSecretDisabled},
		{"public network access is disabled", v1alpha1.ReasonAccessDeniedByFirewall},
		{"client address is not authorized", v1alpha1.ReasonAccessDeniedByFirewall},
	} {
		if strings.Contains(message, known.words) {
			return known.reason
		}
	}
	return v1alpha1.ReasonAccessDenied
}

// retryAfterOf reads how long the server wants to be left alone: Azure's millisecond headers, else Retry-After in seconds
// or as a date (RFC 9110, section 10.2.3).
func retryAfterOf(header http.Header, now time.Time) time.Duration {
	for _, name := range []string{"retry-after-ms", "x-ms-retry-after-ms"} {
		if milliseconds := countOf(header.Get(name)); milliseconds > 0 {
			return time.Duration(milliseconds) * time.Millisecond
		}
	}
	value := header.Get("Retry-After")
	if seconds := countOf(value); seconds > 0 {
		return time.Duration(seconds) * time.Second
	}
	if date, err := http.ParseTime(value); err == nil && date.After(now) {
		return date.Sub(now)
	}
	return 0
}

// countOf returns a number of units, 0 for what is no number. A number beyond all measure is a very long time, and not none.
func countOf(text string) int64 {
	count, err := strconv.ParseInt(text, 10, 32)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return count
}
