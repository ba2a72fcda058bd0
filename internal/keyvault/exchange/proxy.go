package exchange

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/vaultpane/vaultpane/internal/truncate"
)

// proxyFor returns the web proxy for a request. The endpoints that issue this machine's identity are never requested through a
// proxy (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#proxies): the proxy would request its own
// identity, or disclose ours.
func proxyFor(request *http.Request) (*url.URL, error) {
	if isIdentityEndpoint(request.URL.Hostname(), os.Getenv) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(request)
}

// isIdentityEndpoint reports whether a host is an identity endpoint of this machine: a link-local or loopback address, or a host
// that Azure Arc or App Service has announced.
func isIdentityEndpoint(host string, getenv func(string) string) bool {
	if address := net.ParseIP(host); address != nil && (address.IsLinkLocalUnicast() || address.IsLoopback()) {
		return true
	}
	for _, variable := range []string{"IDENTITY_ENDPOINT", "IMDS_ENDPOINT", "MSI_ENDPOINT"} {
		if announced, err := url.Parse(getenv(variable)); err == nil && announced.Hostname() != "" && strings.EqualFold(announced.Hostname(), host) {
			return true
		}
	}
	return false
}

// proxyRefusal is a web proxy's response to CONNECT, other than 200.
type proxyRefusal struct {
	proxy  string // host and port
	status int
}

// Error implements error.
func (e *proxyRefusal) Error() string {
	return fmt.Sprintf("the web proxy %s answered HTTP %d", e.proxy, e.status)
}

// checkProxyResponse keeps the status, which net/http would reduce to text (http.Transport.OnProxyConnectResponse).
func checkProxyResponse(_ context.Context, proxy *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyRefusal{proxy: proxy.Host, status: response.StatusCode}
}

// explain describes what a proxy refused, and what to do.
func (e *proxyRefusal) explain(host string) string {
	what := strings.TrimSpace(fmt.Sprintf("the web proxy %s answered HTTP %d %s", truncate.Line(e.proxy, MaxText), e.status, http.StatusText(e.status)))
	if e.status == http.StatusProxyAuthRequired {
		return what + " to CONNECT; add the proxy's user name and password to HTTPS_PROXY, or " + bypassAdvice(host, os.Getenv)
	}
	return what + " to CONNECT; allow the proxy to connect to " + host + ", or " + bypassAdvice(host, os.Getenv)
}

// noProxyConnection describes why there is no connection to the proxy itself.
func noProxyConnection(host string, cause error, operation *net.OpError) string {
	name := ""
	if proxied := new(proxiedError); errors.As(cause, &proxied) {
		name = " " + truncate.Line(proxied.proxy, MaxText)
	}
	return "no connection to the web proxy" + name + ": " + OneLine(RootCause(operation.Err)) + "; check HTTPS_PROXY, or " + bypassAdvice(host, os.Getenv)
}

// bypassAdvice describes how to reach a host without the proxy. Entries of NO_PROXY are separated by commas. Windows' own settings
// use semicolons, which Go reads as part of one entry that matches nothing.
func bypassAdvice(host string, getenv func(string) string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	advice := "add " + host + " to NO_PROXY to connect without the proxy"
	for _, variable := range []string{"NO_PROXY", "no_proxy"} {
		if strings.Contains(getenv(variable), ";") {
			return advice + ", and separate the entries of NO_PROXY with commas: its present value has semicolons"
		}
	}
	return advice
}

// proxiedError is a failure of a request that went through a web proxy.
type proxiedError struct {
	proxy string // host and port
	error
}

// Unwrap returns the failure.
func (e *proxiedError) Unwrap() error { return e.error }

// withProxy adds the proxy's name to the failure of a request, if the request went through one.
func withProxy(request *http.Request, proxy func(*http.Request) (*url.URL, error), err error) error {
	if proxy == nil {
		return err
	}
	if through, lookup := proxy(request); lookup == nil && through != nil {
		return &proxiedError{proxy: through.Host, error: err}
	}
	return err
}
