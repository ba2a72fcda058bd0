package keyvault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

const (
	lookBetween = "check what stands between the node and the vault, such as a web proxy or a sign-in page"
	checkPath   = "check the network path from the node"
)

func networkFault(secret SecretURL, clientID, host string, cause error) *Fault {
	reason, why := networkProblem(host, cause)
	if host != secret.Authority() && reason == v1alpha1.ReasonVaultNotFound {
		reason = v1alpha1.ReasonVaultUnreachable // the vault itself may well exist
		why = "the host name does not resolve; check AZURE_AUTHORITY_HOST and the node's name servers"
	}
	if host != secret.Authority() {
		why = "token service " + host + ": " + why
	}
	fault := &Fault{Reason: reason, Message: about(secret, clientID) + why}
	if reason == v1alpha1.ReasonTLSFailure {
		fault.Detail = "the node's clock says " + stamp(time.Now())
	}
	return fault
}

// networkProblem classifies by type, never by text.
func networkProblem(host string, cause error) (v1alpha1.Reason, string) {
	var name *net.DNSError
	var operation *net.OpError
	var timeout net.Error
	var refused *proxyRefusal
	switch {
	case errors.As(cause, &refused):
		return v1alpha1.ReasonVaultUnreachable, refused.problem(host)
	case errors.As(cause, &operation) && operation.Op == "proxyconnect":
		return v1alpha1.ReasonVaultUnreachable, noProxyConnection(host, cause, operation)
	case errors.As(cause, &name) && name.IsNotFound:
		return v1alpha1.ReasonVaultNotFound, "the host name does not resolve; check the vault's name, and the DNS zone of its private endpoint if it has one"
	case isTLSError(cause):
		return v1alpha1.ReasonTLSFailure, "TLS: " + tlsProblem(cause, time.Now())
	case errors.Is(cause, errNotJSON):
		return v1alpha1.ReasonVaultUnreachable, "the answer is not Key Vault's JSON; " + lookBetween
	case errors.Is(cause, errTooLarge):
		return v1alpha1.ReasonVaultUnreachable, errTooLarge.Error() + ", and no secret is; " + lookBetween
	case errors.As(cause, &timeout) && timeout.Timeout():
		return v1alpha1.ReasonVaultUnreachable, "no answer in time; " + checkPath
	case errors.As(cause, &operation):
		return v1alpha1.ReasonVaultUnreachable, "no connection: " + oneLine(rootCause(operation.Err)) + "; " + checkPath
	default:
		return v1alpha1.ReasonVaultUnreachable, "the connection broke off: " + oneLine(rootCause(cause)) + "; " + checkPath
	}
}

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

// tlsProblem says what is wrong with a connection that cannot be trusted, and what to do.
func tlsProblem(cause error, now time.Time) string {
	var authority x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(cause, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		return outOfTime(invalid.Cert, now)
	case errors.As(cause, &hostname):
		return oneLine(rootCause(cause)) + "; check an inspecting proxy, and the DNS record of the vault's private endpoint if it has one"
	case errors.As(cause, &authority):
		return oneLine(rootCause(cause)) + "; if an inspecting proxy presents that certificate, give its CA to the agent with --ca-bundle (azure.caBundle of the chart)"
	default:
		return oneLine(rootCause(cause)) + "; " + lookBetween
	}
}

// rootCause returns the innermost error's text: the outer ones repeat the URL.
func rootCause(err error) string {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err.Error()
}
