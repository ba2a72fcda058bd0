package keyvault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Limits of one request. Key Vault answers in milliseconds; what takes longer is an outage.
const (
	dialTimeout     = 10 * time.Second
	headerTimeout   = 20 * time.Second
	requestTimeout  = 45 * time.Second
	idleTimeout     = 5 * time.Minute
	pingAfter       = 30 * time.Second // of silence while an answer is awaited
	pingTimeout     = 10 * time.Second
	maxResponseSize = 2 << 20 // bytes; a secret has at most 25 KiB
)

// transport is the one HTTP client of the process: it keeps connections, bounds responses, follows no redirect (a token
// must not travel on), counts answers and notes why a request got none.
type transport struct {
	client  *http.Client
	proxy   func(*http.Request) (*url.URL, error)
	observe func(code string, duration time.Duration)
}

func newTransport(caBundle []byte, observe func(string, time.Duration)) (*transport, error) {
	roots, err := rootsWith(caBundle)
	if err != nil {
		return nil, err
	}
	if observe == nil {
		observe = func(string, time.Duration) {}
	}
	return &transport{
		proxy:   proxyFor,
		observe: observe,
		client: &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy:       proxyFor,
				DialContext: newDialer().dial,

				OnProxyConnectResponse: checkProxyAnswer,
				TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout:    dialTimeout,
				ResponseHeaderTimeout:  headerTimeout,
				IdleConnTimeout:        idleTimeout,
				ForceAttemptHTTP2:      true,
				// A connection that died without a word, as at a fail-over, is found by asking and not by one timeout a request.
				HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
				// One connection per host: thousands of nodes share a few outbound addresses, and their ports run out first.
				MaxConnsPerHost:     1,
				MaxIdleConnsPerHost: 1,
			},
		},
	}, nil
}

// rootsWith returns the system's trust roots and the bundle's; nil, which means the system's, for an empty bundle.
func rootsWith(caBundle []byte) (*x509.CertPool, error) {
	if len(caBundle) == 0 {
		return nil, nil
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the system's trust roots: %w", err)
	}
	if !roots.AppendCertsFromPEM(caBundle) {
		return nil, errors.New("the CA bundle holds no PEM certificate")
	}
	return roots, nil
}

// Do sends a request for the Azure SDK (policy.Transporter).
func (t *transport) Do(request *http.Request) (*http.Response, error) {
	client := *t.client
	if request.URL.Hostname() == metadataHost {
		client.Timeout = metadataTimeout
	}
	start := time.Now()
	noteAnswer(request.Context(), request.URL.Host, 0) // who is asked, and has not answered yet
	response, err := client.Do(request)                //nolint:gosec // the allow-list has checked the host
	if err != nil {
		t.observe("error", time.Since(start))
		err = throughProxy(request, t.proxy, err)
		noteFailure(request.Context(), request.URL.Host, err)
		return nil, err
	}
	t.observe(strconv.Itoa(response.StatusCode), time.Since(start))
	noteAnswer(request.Context(), request.URL.Host, response.StatusCode)
	if !speaksJSON(response) {
		noteFailure(request.Context(), request.URL.Host, errNotJSON)
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: maxResponseSize, request: request}
	return response, nil
}

// errNotJSON is the failure of an answer that the SDK would only report as text: it drops the cause.
var errNotJSON = errors.New("the answer is not JSON")

// speaksJSON reports whether a success has the content type that Key Vault and token services give it.
func speaksJSON(response *http.Response) bool {
	if response.StatusCode >= http.StatusMultipleChoices {
		return true // the status says what is wrong
	}
	kind, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err != nil || kind == "application/json"
}

// boundedBody ends a response that is larger than anything Key Vault sends, and notes a body that breaks off.
type boundedBody struct {
	io.ReadCloser
	left    int64
	request *http.Request
}

var errTooLarge = errors.New("the response is larger than 2 MiB")

func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.left -= int64(n)
	if b.left < 0 {
		err = errTooLarge
	}
	ctx := b.request.Context()
	switch late := ctx.Err(); {
	case err == io.EOF && late != nil: // net/http can take the end of the time for the end of the body
		noteFailure(ctx, b.request.URL.Host, late)
	case err != nil && err != io.EOF:
		noteFailure(ctx, b.request.URL.Host, err)
	}
	return n, err
}
