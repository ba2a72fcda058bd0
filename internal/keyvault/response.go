package keyvault

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/truncate"
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
	var note, detail string
	if reason == v1alpha1.ReasonAuthenticationFailed {
		note, detail = clockNote(answer.header, "vault")
	}
	return &Fault{
		Reason: reason, Message: message + note, Detail: detail, RequestID: requestID(answer),
		RetryAfter: retryAfterOf(answer.header, time.Now()),
	}
}

// requestID returns the id by which Azure finds a request: the vault's, or Entra ID's trace id.
func requestID(answer *refusalError) string {
	if answer.login {
		if body := entraErrorOf(answer.body); body.TraceID != "" {
			return truncate.Line(body.TraceID, maxID)
		}
	}
	return truncate.Line(answer.header.Get("x-ms-request-id"), maxID)
}

// maxID is how long an id may be, in characters; Azure's have 36.
const maxID = 64

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
		RequestID:  requestID(answer),
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
	case "ForbiddenByRbac", "ForbiddenByPolicy":
		return v1alpha1.ReasonAccessDenied
	case "SecretDisabled":
		return v1alpha1.ReasonSecretDisabled
	case "SecretNotYetValid":
		return v1alpha1.ReasonSecretNotYetValid
	case "SecretExpired":
		return v1alpha1.ReasonExpired
	}
	// Only the first line: the others name the caller and the vault. No secret's name can look like these words, which have blanks.
	message, _, _ = strings.Cut(strings.ToLower(message), "\n")
	for _, known := range forbiddenWords {
		if known.words.MatchString(message) {
			return known.reason
		}
	}
	return v1alpha1.ReasonAccessDenied
}

// forbiddenWords tell causes apart that Key Vault, its emulators and private clouds put into one code.
var forbiddenWords = []struct {
	words  *regexp.Regexp
	reason v1alpha1.Reason
}{
	{regexp.MustCompile(`not valid yet|not yet valid|\bbefore\s(.*\W)?nbf\b|\bnbf\b.* in the future|not yet active`), v1alpha1.ReasonSecretNotYetValid},
	{regexp.MustCompile(`\bexpired secret|secret (has|is) expired|\bafter\s(.*\W)?exp\b|\bexp\b.* in the past`), v1alpha1.ReasonExpired},
	{regexp.MustCompile(`\bdisabled secret|secret is (disabled|not enabled)`), v1alpha1.ReasonSecretDisabled},
	{regexp.MustCompile(`public network access is disabled|client address is not authorized`), v1alpha1.ReasonAccessDeniedByFirewall},
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
