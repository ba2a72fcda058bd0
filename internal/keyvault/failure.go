package keyvault

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// wireError is an exchange without a usable answer.
type wireError struct {
	host  string
	cause error
}

// Error implements error.
func (e *wireError) Error() string { return fmt.Sprintf("asking %s: %v", e.host, e.cause) }

// Unwrap returns the cause.
func (e *wireError) Unwrap() error { return e.cause }

// refusalError is an answer that is neither a secret nor a token.
type refusalError struct {
	login   bool   // of the token service
	ofVault bool   // of the token service, about the vault's resource or tenant and not about the identity
	url     string // asked, without query
	status  int
	header  http.Header
	body    []byte
}

// Error implements error.
func (e *refusalError) Error() string { return fmt.Sprintf("HTTP %d", e.status) }

// explainedError is a failure in our own words, which name the settings and are shown as they are.
type explainedError struct {
	text  string
	cause error // nil where no request was sent
}

// Error implements error.
func (e *explainedError) Error() string { return e.text }

// Unwrap returns what is behind the failure.
func (e *explainedError) Unwrap() error { return e.cause }

// settle makes an error of the SDK fit for everyone who waited for the request. The SDK's own are not: each look at one
// moves the reader of its response's body, and what broke on the wire is on the trail of the one who asked.
func settle(vault string, trail *trail, err error) error {
	if err == nil {
		return nil
	}
	if failure := trail.failure(vault); failure != nil {
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

func refusalOf(response *http.Response, login bool) error {
	body, _ := runtime.Payload(response) // a body that cannot be read leaves the status code to speak
	return &refusalError{login: login, url: askedURL(response.Request), status: response.StatusCode, header: response.Header, body: body}
}

// askedURL returns the URL of a request as it may be shown: what stands in a query or before an @ can be secret.
func askedURL(request *http.Request) string {
	if request == nil || request.URL == nil {
		return "an unknown URL"
	}
	return oneLine((&url.URL{Scheme: request.URL.Scheme, Host: request.URL.Host, Path: request.URL.Path}).String())
}
