package exchange

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

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// Limits of one request. Key Vault responds in milliseconds; a request that takes longer than these has met an outage.
const (
	// RequestTimeout bounds one request with its authentication.
	RequestTimeout = 45 * time.Second
	// MaxResponseSize is the largest response that is read, in bytes. A secret has at most 25 KiB.
	MaxResponseSize = 2 << 20

	dialTimeout   = 10 * time.Second
	headerTimeout = 20 * time.Second
	idleTimeout   = 5 * time.Minute
	pingAfter     = 30 * time.Second // of silence while a response is pending
	pingTimeout   = 10 * time.Second
)

// MetadataHost is the Azure Instance Metadata Service
// (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service).
const MetadataHost = "169.254.169.254"

// The metadata service is on the machine's own network: if a connection is not accepted at once, there is no such service. A
// token may take it some seconds.
const (
	metadataDialTimeout = 2 * time.Second
	metadataTimeout     = 10 * time.Second
)

// Transport is the one HTTP client of the process (policy.Transporter of the Azure SDK). It keeps connections, bounds responses,
// follows no redirect (a token must not travel on), counts responses, and records in the Transcript why a request got none.
type Transport struct {
	// Client sends the requests. The metadata service gets a copy with a shorter timeout.
	Client *http.Client
	// Proxy returns the web proxy of a request, for messages; nil for none.
	Proxy func(*http.Request) (*url.URL, error)
	// Observe is called for every HTTP response with its status code, or "error", and the time until its headers arrived.
	Observe func(code string, duration time.Duration)
}

// NewTransport returns a transport that trusts the system's roots and those of caBundle (PEM; nil for none). observe may be nil.
func NewTransport(caBundle []byte, observe func(string, time.Duration)) (*Transport, error) {
	roots, err := rootsWith(caBundle)
	if err != nil {
		return nil, err
	}
	if observe == nil {
		observe = func(string, time.Duration) {}
	}
	return &Transport{
		Proxy:   proxyFor,
		Observe: observe,
		Client: &http.Client{
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy:       proxyFor,
				DialContext: newDialer().dial,

				OnProxyConnectResponse: checkProxyResponse,
				TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout:    dialTimeout,
				ResponseHeaderTimeout:  headerTimeout,
				IdleConnTimeout:        idleTimeout,
				ForceAttemptHTTP2:      true,
				// Pings find a connection that died silently, as in a fail-over. Without them each request would time out.
				HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
				// One connection per host: thousands of nodes share a few outbound addresses, and their ports run out first.
				MaxConnsPerHost:     1,
				MaxIdleConnsPerHost: 1,
			},
		},
	}, nil
}

// ClientOptions returns SDK options that use a transport and disable the SDK's own retries. The reconciler alone decides how long
// to wait, and a hidden sleep would hold up other certificates.
func ClientOptions(transport policy.Transporter) azcore.ClientOptions {
	return azcore.ClientOptions{Transport: transport, Retry: policy.RetryOptions{MaxRetries: -1}}
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
func (t *Transport) Do(request *http.Request) (*http.Response, error) {
	client := *t.Client
	if request.URL.Hostname() == MetadataHost {
		client.Timeout = metadataTimeout
	}
	start := time.Now()
	recordResponse(request.Context(), request.URL.Host, 0) // the request is under way and has no response yet
	response, err := client.Do(request)                    //nolint:gosec // the allow-list has checked the host
	if err != nil {
		t.Observe("error", time.Since(start))
		err = withProxy(request, t.Proxy, err)
		recordFailure(request.Context(), request.URL.Host, err)
		return nil, err
	}
	t.Observe(strconv.Itoa(response.StatusCode), time.Since(start))
	recordResponse(request.Context(), request.URL.Host, response.StatusCode)
	if !isJSON(response) {
		recordFailure(request.Context(), request.URL.Host, errNotJSON)
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: MaxResponseSize, request: request}
	return response, nil
}

// errNotJSON is the failure of a response that the SDK reports as text only: it drops the cause.
var errNotJSON = errors.New("the response is not JSON")

// isJSON reports whether a successful response has the content type that Key Vault and token services set.
func isJSON(response *http.Response) bool {
	if response.StatusCode >= http.StatusMultipleChoices {
		return true // the status describes the failure
	}
	mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return err != nil || mediaType == "application/json"
}

// boundedBody fails for a response that is larger than anything Key Vault sends, and records a body that cannot be read to its
// end.
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
	case err == io.EOF && late != nil: // net/http can report an expired context as the end of the body
		recordFailure(ctx, b.request.URL.Host, late)
	case err != nil && err != io.EOF:
		recordFailure(ctx, b.request.URL.Host, err)
	}
	return n, err
}
