package keyvault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// vaultError is the body of Key Vault's error responses
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

// inner returns the most specific code.
func (e *vaultError) inner() string {
	if e.Error.InnerError.Code != "" {
		return e.Error.InnerError.Code
	}
	return e.Error.Code
}

// vaultErrorOf parses the body of a response. A body of another kind gives an error without code, and the status code decides.
func vaultErrorOf(body []byte) vaultError {
	var read vaultError
	_ = json.Unmarshal(body, &read)
	return read
}

// responseFailure is for a refusal of the vault.
func responseFailure(of request, refusal *exchange.RefusalError) *Failure {
	body := vaultErrorOf(refusal.Body)
	if body.Error.Code == "" && !hasMeaningAlone(refusal.Status) {
		return foreignFailure(of, refusal)
	}
	inner := body.inner()
	reason := reasonFor(refusal.Status, inner, body.Error.Message)
	message := about(of) + strings.TrimSpace(fmt.Sprintf("HTTP %d %s", refusal.Status, exchange.OneLine(inner)))
	if text := exchange.Gist(body.Error.Message); text != "" {
		message += ": " + text
	}
	message += "; " + adviceFor(reason, of, &body)
	var note, detail string
	if reason == v1alpha1.ReasonAuthenticationFailed {
		note, detail = exchange.ClockNote(refusal.Header, "vault")
	}
	return &Failure{
		Reason: reason, Message: message + note, Detail: detail, RequestID: requestID(refusal),
		RetryAfter: exchange.RetryAfter(refusal.Header, time.Now()),
	}
}

// requestID returns the ID by which Azure's support finds a request: the vault's, or the trace ID of Entra ID.
func requestID(refusal *exchange.RefusalError) string {
	if refusal.TokenService {
		if body := auth.ParseTokenError(refusal.Body); body.TraceID != "" {
			return truncate.Line(body.TraceID, exchange.MaxID)
		}
	}
	return truncate.Line(refusal.Header.Get("x-ms-request-id"), exchange.MaxID)
}

// hasMeaningAlone reports whether a status means the same without Key Vault's body: a gateway in between also throttles and fails.
func hasMeaningAlone(status int) bool {
	return status == http.StatusUnauthorized || status == http.StatusTooManyRequests || status >= http.StatusInternalServerError
}

// foreignFailure is for a response that is not from Key Vault: a proxy's page that blocks the site must not be taken for a missing
// role, nor a gateway's 404 for a missing secret.
func foreignFailure(of request, refusal *exchange.RefusalError) *Failure {
	what := fmt.Sprintf("HTTP %d", refusal.Status)
	if target, err := url.Parse(refusal.Header.Get("Location")); err == nil && target.Host != "" {
		what += " to " + exchange.OneLine(target.Host)
	}
	return &Failure{
		Reason:     v1alpha1.ReasonVaultUnreachable,
		RequestID:  requestID(refusal),
		Message:    about(of) + what + ", which is not Key Vault's response; " + exchange.CheckProxies,
		RetryAfter: exchange.RetryAfter(refusal.Header, time.Now()),
	}
}

// reasonFor maps Key Vault's response to a reason. If one code has several causes, which Key Vault distinguishes in prose only,
// the message decides.
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
	case "ForbiddenByRbac", "ForbiddenByPolicy":
		return v1alpha1.ReasonAccessDenied
	case "SecretDisabled":
		return v1alpha1.ReasonSecretDisabled
	case "SecretNotYetValid":
		return v1alpha1.ReasonSecretNotYetValid
	case "SecretExpired":
		return v1alpha1.ReasonExpired
	}
	// Only the first line: the others name the caller and the vault. A secret's name cannot match these words, which have spaces.
	message, _, _ = strings.Cut(strings.ToLower(message), "\n")
	for _, known := range forbiddenWords {
		if known.words.MatchString(message) {
			return known.reason
		}
	}
	return v1alpha1.ReasonAccessDenied
}

// forbiddenWords distinguish causes for which Key Vault, its emulators and private clouds use one code.
var forbiddenWords = []struct {
	words  *regexp.Regexp
	reason v1alpha1.Reason
}{
	{regexp.MustCompile(`not valid yet|not yet valid|\bbefore\s(.*\W)?nbf\b|\bnbf\b.* in the future|not yet active`), v1alpha1.ReasonSecretNotYetValid},
	{regexp.MustCompile(`\bexpired secret|secret (has|is) expired|\bafter\s(.*\W)?exp\b|\bexp\b.* in the past`), v1alpha1.ReasonExpired},
	{regexp.MustCompile(`\bdisabled secret|secret is (disabled|not enabled)`), v1alpha1.ReasonSecretDisabled},
	{regexp.MustCompile(`public network access is disabled|client address is not authorized`), v1alpha1.ReasonAccessDeniedByFirewall},
}
