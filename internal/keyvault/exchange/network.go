package exchange

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Advice for failures whose cause is between the node and the server.
const (
	// CheckProxies is the advice for a response that does not come from the server that was asked.
	CheckProxies = "check what is between the node and the vault, such as a web proxy or a sign-in page"
	checkPath    = "check the network path from the node"
)

// Diagnose returns the reason of a broken exchange with a host, and a text with the cause and what to do. It classifies by type,
// never by text.
func Diagnose(host string, cause error) (v1alpha1.Reason, string) {
	var name *net.DNSError
	var operation *net.OpError
	var timeout net.Error
	var refused *proxyRefusal
	switch {
	case errors.As(cause, &refused):
		return v1alpha1.ReasonVaultUnreachable, refused.explain(host)
	case errors.As(cause, &operation) && operation.Op == "proxyconnect":
		return v1alpha1.ReasonVaultUnreachable, noProxyConnection(host, cause, operation)
	case errors.As(cause, &name) && name.IsNotFound:
		return v1alpha1.ReasonVaultNotFound, "the host name does not resolve; check the vault's name, and the DNS zone of its private endpoint if it has one"
	case isTLSError(cause):
		return v1alpha1.ReasonTLSFailure, "TLS: " + explainTLS(cause, time.Now())
	case errors.Is(cause, errNotJSON):
		return v1alpha1.ReasonVaultUnreachable, "the response is not Key Vault's JSON; " + CheckProxies
	case errors.Is(cause, errTooLarge):
		return v1alpha1.ReasonVaultUnreachable, errTooLarge.Error() + ", which no secret is; " + CheckProxies
	case errors.As(cause, &timeout) && timeout.Timeout():
		return v1alpha1.ReasonVaultUnreachable, "no response in time; " + checkPath
	case errors.As(cause, &operation):
		return v1alpha1.ReasonVaultUnreachable, "no connection: " + OneLine(RootCause(operation.Err)) + "; " + checkPath
	default:
		return v1alpha1.ReasonVaultUnreachable, "the connection failed: " + OneLine(RootCause(cause)) + "; " + checkPath
	}
}

// IsForeign reports whether the cause of a broken exchange is a response that is not JSON, such as a proxy's page.
func IsForeign(cause error) bool { return errors.Is(cause, errNotJSON) }

// IsTooLarge reports whether the cause of a broken exchange is a response of more than MaxResponseSize.
func IsTooLarge(cause error) bool { return errors.Is(cause, errTooLarge) }

func isTLSError(err error) bool {
	var verification *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	var header tls.RecordHeaderError
	var alert tls.AlertError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &verification) || errors.As(err, &authority) || errors.As(err, &hostname) ||
		errors.As(err, &invalid) || errors.As(err, &header) || errors.As(err, &alert)
}

// explainTLS describes why a connection is not trusted, and what to do.
func explainTLS(cause error, now time.Time) string {
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(cause, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return outsideValidity(invalid.Cert, now)
	case errors.As(cause, &hostname):
		return OneLine(RootCause(cause)) + "; check for a TLS-inspecting proxy, and the DNS record of the vault's private endpoint if it has one"
	case errors.As(cause, &authority):
		return OneLine(RootCause(cause)) + "; if a TLS-inspecting proxy presents that certificate, pass its CA to the agent with --ca-bundle (azure.caBundle of the chart)"
	default:
		return OneLine(RootCause(cause)) + "; " + CheckProxies
	}
}

// RootCause returns the innermost error's text: the outer ones repeat the URL.
func RootCause(err error) string {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err.Error()
}
