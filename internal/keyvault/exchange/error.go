package exchange

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// BrokenError is an exchange without a usable response.
type BrokenError struct {
	// Host is the host and port that were asked.
	Host string
	// Cause is the error of the network, of TLS, or of reading the response.
	Cause error
}

// Error implements error.
func (e *BrokenError) Error() string { return fmt.Sprintf("requesting %s: %v", e.Host, e.Cause) }

// Unwrap returns the cause.
func (e *BrokenError) Unwrap() error { return e.Cause }

// RefusalError is a response that is neither a secret nor a token.
type RefusalError struct {
	// TokenService is true for a response of the token service, false for one of the vault.
	TokenService bool
	// ForVault is true if the token service refused the vault's resource or tenant and not the identity.
	ForVault bool
	// URL is the URL of the request, without its query.
	URL    string
	Status int
	Header http.Header
	Body   []byte
}

// Error implements error.
func (e *RefusalError) Error() string { return fmt.Sprintf("HTTP %d", e.Status) }

// ExplainedError is a failure whose text is the project's own. It names settings and is shown as it is.
type ExplainedError struct {
	Text string
	// Cause is the failure that the text explains; nil if no request was sent.
	Cause error
}

// Error implements error.
func (e *ExplainedError) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *ExplainedError) Unwrap() error { return e.Cause }

// SharedError is the result of a request that was not sent, because the failure of another request holds for it too.
type SharedError struct {
	// Cause is the failure of the other request.
	Cause error
	// Wait is the time until the next request may be sent, 0 if it is not known.
	Wait time.Duration
}

// Error implements error.
func (e *SharedError) Error() string { return e.Cause.Error() }

// Unwrap returns the failure of the other request.
func (e *SharedError) Unwrap() error { return e.Cause }

// Settle turns an error of the SDK into one that all waiting callers can share: a BrokenError, a RefusalError, or the error
// itself. Errors of the SDK cannot be shared, since reading one moves the reader of its response body, and the cause of a
// broken exchange is in the transcript of one caller only.
func Settle(vault string, transcript *Transcript, err error) error {
	if err == nil {
		return nil
	}
	if failure := transcript.failure(vault); failure != nil {
		return failure
	}
	var response *azcore.ResponseError
	var authentication *azidentity.AuthenticationFailedError
	switch {
	case errors.As(err, &authentication) && authentication.RawResponse != nil:
		return refusalOf(authentication.RawResponse, true)
	case errors.As(err, &response) && response.RawResponse != nil:
		return refusalOf(response.RawResponse, false)
	}
	return err
}

func refusalOf(response *http.Response, tokenService bool) error {
	body, _ := runtime.Payload(response) // without a readable body the status code decides
	return &RefusalError{TokenService: tokenService, URL: urlOf(response.Request), Status: response.StatusCode, Header: response.Header, Body: body}
}

// urlOf returns the URL of a request for a message. Its query and user information are left out, since they can be secret.
func urlOf(request *http.Request) string {
	if request == nil || request.URL == nil {
		return "an unknown URL"
	}
	return OneLine((&url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host, Path: request.URL.Path}).String())
}

// Outage reports whether a settled error says nothing about the credential: the other side cannot be reached, throttles, or is out
// of service.
func Outage(err error) bool {
	var broken *BrokenError
	var refusal *RefusalError
	if errors.As(err, &refusal) {
		return refusal.Status == http.StatusTooManyRequests || refusal.Status >= http.StatusInternalServerError
	}
	return errors.As(err, &broken) || errors.Is(err, context.DeadlineExceeded)
}
