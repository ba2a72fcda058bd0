package keyvault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// classify turns an error of the SDK into a Fault. What broke on the wire comes first: the SDK hides it behind the
// credential that wanted the token.
func classify(secret SecretURL, clientID string, err error, trail *trail) error {
	if host, cause := trail.failure(); cause != nil {
		return networkFault(secret, host, cause)
	}
	var response *azcore.ResponseError
	var authentication *azidentity.AuthenticationFailedError
	switch {
	case errors.As(err, &authentication):
		return authenticationFault(secret, clientID, tokenProblem(authentication))
	case errors.As(err, &response):
		return responseFault(secret, clientID, response)
	case errors.Is(err, context.DeadlineExceeded):
		return networkFault(secret, secret.Authority(), err)
	case isCredentialError(err):
		return authenticationFault(secret, clientID, oneLine(err.Error()))
	case isDecodeError(err):
		return &Fault{
			Reason:  v1alpha1.ReasonVaultUnreachable,
			Message: fmt.Sprintf("%s answered with something that is not Key Vault's JSON; check what stands between the node and the vault, such as a web proxy or a sign-in page", secret.Authority()),
		}
	default:
		return authenticationFault(secret, clientID, oneLine(err.Error()))
	}
}

// isCredentialError reports whether no credential could be tried at all, which azidentity marks as not retriable.
func isCredentialError(err error) bool {
	var notRetriable interface{ NonRetriable() }
	return errors.As(err, &notRetriable)
}

func isDecodeError(err error) bool {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	return errors.As(err, &syntax) || errors.As(err, &kind) || errors.Is(err, io.ErrUnexpectedEOF)
}

func networkFault(secret SecretURL, host string, cause error) *Fault {
	reason, why := networkProblem(cause)
	peer := "vault " + host
	if host != secret.Authority() {
		peer = "token service " + host
		if reason == v1alpha1.ReasonVaultNotFound {
			reason = v1alpha1.ReasonVaultUnreachable // the vault itself may well exist
		}
	}
	return &Fault{Reason: reason, Message: fmt.Sprintf("reading secret %q: %s: %s", secret.Name, peer, why)}
}

// networkProblem classifies by type, never by text.
func networkProblem(cause error) (v1alpha1.Reason, string) {
	var name *net.DNSError
	var operation *net.OpError
	var timeout net.Error
	switch {
	case errors.As(cause, &name) && name.IsNotFound:
		return v1alpha1.ReasonVaultNotFound, "the host name does not resolve; check the vault's name, and the DNS zone of its private endpoint if it has one"
	case isTLSError(cause):
		return v1alpha1.ReasonTLSFailure, "TLS: " + oneLine(rootCause(cause)) + "; check the node's clock, an inspecting proxy, and --ca-bundle"
	case errors.Is(cause, errTooLarge):
		return v1alpha1.ReasonVaultUnreachable, errTooLarge.Error()
	case errors.As(cause, &timeout) && timeout.Timeout():
		return v1alpha1.ReasonVaultUnreachable, "no answer in time; check the network path from the node"
	case errors.As(cause, &operation):
		return v1alpha1.ReasonVaultUnreachable, "no connection: " + oneLine(rootCause(operation.Err)) + "; check the network path from the node"
	default:
		return v1alpha1.ReasonVaultUnreachable, "the connection broke off: " + oneLine(rootCause(cause))
	}
}

func isTLSError(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	return errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &header) || errors.As(err, &alert)
}

// rootCause returns the innermost error's text: the outer ones repeat the URL.
func rootCause(err error) string {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err.Error()
}

func authenticationFault(secret SecretURL, clientID, why string) *Fault {
	return &Fault{
		Reason:  v1alpha1.ReasonAuthenticationFailed,
		Message: fmt.Sprintf("authenticating to %s as %s: %s", secret.Authority(), identityName(clientID), why),
	}
}

// tokenProblem returns what the token service said. Its error_description begins with the AADSTS code and the reason
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes); it holds no secret.
func tokenProblem(failed *azidentity.AuthenticationFailedError) string {
	if failed.RawResponse == nil {
		return oneLine(failed.Error())
	}
	var answer struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	body, err := runtime.Payload(failed.RawResponse)
	if err != nil || json.Unmarshal(body, &answer) != nil || answer.Code == "" {
		return fmt.Sprintf("the token service answered HTTP %d; check the client id, the tenant and the credential", failed.RawResponse.StatusCode)
	}
	return fmt.Sprintf("the token service answered %s: %s; check the client id, the tenant and the credential", answer.Code, oneLine(answer.Description))
}

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

func responseFault(secret SecretURL, clientID string, response *azcore.ResponseError) *Fault {
	var body vaultError
	requestID, retryAfter := "", time.Duration(0)
	if raw := response.RawResponse; raw != nil {
		if text, err := runtime.Payload(raw); err == nil {
			_ = json.Unmarshal(text, &body) // a body of another kind leaves the status code to speak
		}
		requestID = raw.Header.Get("x-ms-request-id")
		retryAfter = retryAfterOf(raw.Header, time.Now())
	}
	inner := body.Error.InnerError.Code
	if inner == "" {
		inner = body.Error.Code
	}
	reason := reasonFor(response.StatusCode, inner, body.Error.Message)
	message := fmt.Sprintf("reading secret %q from %s: HTTP %d %s", secret.Name, secret.Authority(), response.StatusCode, inner)
	if text := oneLine(body.Error.Message); text != "" {
		message += ": " + text
	}
	if advice := adviceFor(reason, clientID); advice != "" {
		message += "; " + advice
	}
	if requestID != "" {
		message += " (request " + requestID + ")"
	}
	return &Fault{Reason: reason, Message: message, RetryAfter: retryAfter}
}

// reasonFor maps Key Vault's answer to a reason. Where one code stands for several causes, which Key Vault then tells
// apart in prose only, the message decides.
func reasonFor(status int, inner, message string) v1alpha1.Reason {
	message = strings.ToLower(message)
	switch {
	case status == http.StatusUnauthorized:
		return v1alpha1.ReasonAuthenticationFailed
	case inner == "ForbiddenByFirewall" || inner == "ForbiddenByConnection":
		return v1alpha1.ReasonAccessDeniedByFirewall
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

// oneLine makes foreign text fit for a status message: its first line, without control characters, at most 300 bytes.
func oneLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, text)
	if len(text) > 300 {
		text = strings.ToValidUTF8(text[:300], "") + "…"
	}
	return strings.TrimSuffix(strings.TrimSpace(text), ".")
}
