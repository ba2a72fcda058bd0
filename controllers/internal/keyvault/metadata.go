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
	"time"
)

// metadataHost is the Azure Instance Metadata Service
// (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service).
const metadataHost = "169.254.169.254"

// The metadata service is on the machine's own network: where nobody answers a connection at once, there is none. A token
// may take it some seconds.
const (
	metadataDialTimeout = 2 * time.Second
	metadataTimeout     = 10 * time.Second
)

// dial connects to a host, and gives the metadata service up early.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	limit := dialTimeout
	if host, _, err := net.SplitHostPort(address); err == nil && host == metadataHost {
		limit = metadataDialTimeout
	}
	return (&net.Dialer{Timeout: limit, KeepAlive: 30 * time.Second}).DialContext(ctx, network, address)
}

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

// metadataError says what is wrong with the managed identity of this machine, in our settings' words.
type metadataError struct {
	text  string
	cause error
}

// Error implements error.
func (e *metadataError) Error() string { return e.text }

// Unwrap returns what the metadata service answered, or why it did not.
func (e *metadataError) Unwrap() error { return e.cause }

// explainMetadata returns what a failure of the metadata service means. It says 400 for an identity that it does not have,
// and for none named where there are several or none of its own
// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling).
func explainMetadata(a account, trail *trail, err error) error {
	host, status := trail.last()
	if host != metadataHost {
		return err
	}
	var wire *wireError
	var refusal *refusalError
	clientID := clientIDOf(a.clientID)
	explained := func(format string, arguments ...any) error {
		return &metadataError{text: fmt.Sprintf(format, arguments...), cause: err}
	}
	switch {
	case errors.As(err, &refusal) && entraErrorOf(refusal.body).Code == "invalid_resource":
		return err // the identity is there, and the vault is not of its cloud
	case errors.As(err, &wire):
		return explained("the instance metadata service (%s) does not answer: %s; so this machine has no managed identity, or its network keeps pods from it; choose another identity with --credential and its AZURE_* variables", host, oneLine(rootCause(wire.cause)))
	case status == http.StatusBadRequest && clientID == "":
		return explained("the machine has no identity of its own, or several and none is named; name one by its client id: in authentication.msiClientId for one certificate, in AZURE_CLIENT_ID for the agent")
	case status == http.StatusBadRequest:
		return explained("the managed identity with client id %s is not assigned to this machine; assign it (to the node pool's scale set on AKS), or correct authentication.msiClientId or AZURE_CLIENT_ID", clientID)
	}
	return err
}
