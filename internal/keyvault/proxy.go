package keyvault

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

// proxyFor returns the web proxy for a request. The endpoints that give identities to this very machine are never asked
// through one (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service#proxies): it would ask for its
// own identity, or leak ours.
func proxyFor(request *http.Request) (*url.URL, error) {
	if onThisMachine(request.URL.Hostname(), os.Getenv) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(request)
}

// onThisMachine reports whether a host is an identity endpoint of this machine: a link-local address, or one that Azure Arc
// or App Service has announced.
func onThisMachine(host string, getenv func(string) string) bool {
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

// proxyRefusal is a web proxy's answer to the request for a connection, other than 200.
type proxyRefusal struct {
	proxy  string // host and port
	status int
}

// Error implements error.
func (e *proxyRefusal) Error() string {
	return fmt.Sprintf("the web proxy %s answered HTTP %d", e.proxy, e.status)
}

// checkProxyAnswer keeps what net/http would make a bare text of (http.Transport.OnProxyConnectResponse).
func checkProxyAnswer(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyRefusal{proxy: proxy.Host, status: answer.StatusCode}
}

// problem says what a proxy refused, and what to do.
func (e *proxyRefusal) problem(host string) string {
	what := strings.TrimSpace(fmt.Sprintf("the web proxy %s answered HTTP %d %s", truncate.Line(e.proxy, maxText), e.status, http.StatusText(e.status)))
	if e.status == http.StatusProxyAuthRequired {
		return what + " to the connection; put the user name and password that it asks for into HTTPS_PROXY, or " + besideProxy(host, os.Getenv)
	}
	return what + " to the connection; let the proxy connect to " + host + ", or " + besideProxy(host, os.Getenv)
}

// noProxyConnection says why there is no connection to the proxy itself.
func noProxyConnection(host string, cause error, operation *net.OpError) string {
	which := ""
	if through := new(proxiedError); errors.As(cause, &through) {
		which = " " + truncate.Line(through.proxy, maxText)
	}
	return "no connection to the web proxy" + which + ": " + oneLine(rootCause(operation.Err)) + "; check HTTPS_PROXY, or " + besideProxy(host, os.Getenv)
}

// besideProxy says how a host is asked without the proxy. Entries of NO_PROXY are separated by commas; those of Windows' own
// settings by semicolons, which Go takes for a part of one entry that matches nothing.
func besideProxy(host string, getenv func(string) string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	advice := "name " + host + " in NO_PROXY if it is to be asked directly"
	for _, variable := range []string{"NO_PROXY", "no_proxy"} {
		if strings.Contains(getenv(variable), ";") {
			return advice + ": separate its entries with commas, yours has semicolons"
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

// throughProxy names the proxy in the failure of a request, if it has one.
func throughProxy(request *http.Request, proxy func(*http.Request) (*url.URL, error), err error) error {
	if proxy == nil {
		return err
	}
	if through, problem := proxy(request); problem == nil && through != nil {
		return &proxiedError{proxy: through.Host, error: err}
	}
	return err
}
